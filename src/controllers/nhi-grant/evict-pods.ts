import { mergeConditions, type Conclusion } from '../../api/v1alpha1/conditions.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { Conflict, Forbidden, NotFound, ServerError, TooManyRequests } from '../../cluster/errors.ts'
import type { ClusterClient, EventSink, KubeObject } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { describeIdentity, type Identity } from '../../core/identity.ts'
import { canonicalIdentity } from '../../core/policy/select.ts'
import { parseInstant, type Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { after, type Outcome } from '../../runtime/queue.ts'
import { allEnded } from '../all-ended.ts'
import { announce } from '../announce.ts'
import { subjectOf } from './named-in-spec.ts'

export interface PodEvictorParts {
  readonly client: Pick<ClusterClient, 'list' | 'createSubresource'>
  readonly events: EventSink
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

interface KeptPod {
  /** With its namespace. */
  readonly name: string
  readonly why: string
}

type Account = Extract<Identity, { kind: 'ServiceAccount' }>

const type = 'PodsEvicted'
/** A PodDisruptionBudget that lets no Pod go is asked again after this, doubled each time. */
const firstPause: Millis = 1_000
const longestPause: Millis = 60_000
/** What does not answer holds up no other grant for longer. */
const limit = { timeout: 3_000 } as const

/**
 * Evicts the Pods of the ServiceAccount whose grant was revoked, where its policy says so: a stream that is open outlives the
 * access that opened it. Pods that came after the end never had the access, and stay. Nothing waits for this: the revocation
 * is on record before, with its proof.
 */
export class PodEvictor {
  readonly #parts: PodEvictorParts
  /** By the grant's UID: the next pause. */
  readonly #pauses = new Map<string, Millis>()

  constructor(parts: PodEvictorParts) {
    this.#parts = parts
  }

  /** For a grant that has ended, and was proved to. null: there is nothing more to do. */
  async evict(
    grant: NHIGrant,
    report: (grant: NHIGrant, status: NHIGrantStatus) => Promise<unknown>,
  ): Promise<Outcome | null> {
    const account = whosePodsGo(grant)
    if (account === null) return null
    const conclusion = await this.#evictAll(grant, account)
    const isNews = conclusionOf(grant)?.message !== conclusion.message
    await report(grant, statusWith(grant, conclusion, this.#parts.clock.now()))
    if (isNews) this.#tell(grant, conclusion)
    const { uid } = grant.metadata
    const pause = this.#pauses.get(uid) ?? firstPause
    if (conclusion.reason !== 'Blocked') {
      this.#pauses.delete(uid)
      return null
    }
    this.#pauses.set(uid, Math.min(2 * pause, longestPause))
    return after(pause)
  }

  async #evictAll(grant: NHIGrant, account: Account): Promise<Omit<Conclusion, 'type'>> {
    const whose = describeIdentity(account)
    try {
      const pods = await this.#podsOf(grant, account)
      const results = await allEnded(pods.map((pod) => this.#evictOne(pod)))
      const kept = results.filter((each) => each !== null)
      if (kept.length === 0)
        return { status: 'True', reason: 'Evicted', message: `no Pod of ${whose} is left that had the access` }
      const others = kept.length > 5 ? [`${kept.length - 5} more`] : []
      const named = [...kept.slice(0, 5).map(({ name }) => name), ...others].join(', ')
      const message = `Pods of ${whose} that had the access are tried again: ${named}; ${kept[0]?.why ?? ''}`
      return { status: 'False', reason: 'Blocked', message }
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error
      const message = `the access is gone, but the operator may not evict the Pods of ${whose} that had it: evictPods.enabled of its chart lets it`
      return { status: 'False', reason: 'Forbidden', message }
    }
  }

  /** Those that may have used the access, and still run. */
  async #podsOf(grant: NHIGrant, { namespace, name }: Account): Promise<readonly KubeObject[]> {
    const fieldSelector = `spec.serviceAccountName=${name}`
    const pods = await this.#parts.client.list(resources.pods, { namespace, fieldSelector })
    const endedAt = parseInstant(grant.status?.endedAt ?? '') ?? 0
    return pods.filter(({ metadata, status }) => {
      const { phase = '' } = (status ?? {}) as { readonly phase?: string }
      const createdAt = parseInstant(metadata.creationTimestamp ?? '') ?? 0
      const isOver = metadata.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed'
      return !isOver && createdAt <= endedAt
    })
  }

  /** What keeps it, a PodDisruptionBudget as a rule; null: it goes, or has gone. */
  async #evictOne({ metadata: { namespace = '', name, uid } }: KubeObject): Promise<KeptPod | null> {
    const eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { namespace, name },
      deleteOptions: { preconditions: { uid } },
    }
    try {
      await this.#parts.client.createSubresource(resources.pods, { namespace, name }, 'eviction', eviction, limit)
      return null
    } catch (error) {
      // a Pod under two budgets is answered with 500
      if (error instanceof TooManyRequests || error instanceof ServerError)
        return { name: `${namespace}/${name}`, why: error.message }
      if (error instanceof NotFound || error instanceof Conflict) return null
      throw error
    }
  }

  #tell({ apiVersion, kind, metadata }: NHIGrant, { status, reason, message }: Omit<Conclusion, 'type'>): void {
    const regarding = { apiVersion, kind, metadata }
    const level = status === 'True' ? 'Normal' : 'Warning'
    const told = status === 'True' ? 'PodsEvicted' : `Eviction${reason}`
    announce(this.#parts, [{ regarding, type: level, reason: told, action: 'Evict', note: message }])
  }
}

/** null: nobody's, or they have gone. */
export function whosePodsGo(grant: NHIGrant): Account | null {
  const { state, onRevoke } = grant.status ?? {}
  if (state !== 'Revoked' || onRevoke !== 'EvictPods' || conclusionOf(grant)?.status === 'True') return null
  const subject = canonicalIdentity(subjectOf(grant))
  return subject.kind === 'ServiceAccount' ? subject : null
}

function conclusionOf({ status }: NHIGrant): Conclusion | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

function statusWith(grant: NHIGrant, conclusion: Omit<Conclusion, 'type'>, now: number): NHIGrantStatus {
  const { conditions = [], ...status } = grant.status ?? {}
  const others = conditions.filter((condition) => condition.type !== type)
  const generation = status.observedGeneration ?? 0
  return { ...status, conditions: mergeConditions(conditions, [...others, { type, ...conclusion }], generation, now) }
}
