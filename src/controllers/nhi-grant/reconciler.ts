import { isDeepStrictEqual } from 'node:util'
import { parseNHIGrant } from '../../api/v1alpha1/parse-nhi-grant.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant.schema.ts'
import { Conflict, Forbidden } from '../../cluster/errors.ts'
import type { ClusterClient, EventSink, ObjectKey } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { planGrant, type GrantInputs, type GrantPlan } from '../../core/grant/plan.ts'
import type { GrantRecord } from '../../core/grant/record.ts'
import { requesterNamed } from '../../core/identity.ts'
import type { Instant, Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { after, again, done, type Outcome } from '../../runtime/queue.ts'
import { announce } from '../announce.ts'
import { callsUntil, type ObjectCalls } from './calls-until.ts'
import type { GrantStore } from './grant-store.ts'
import { newsOfGrant } from './news.ts'
import { createObjects, deleteObjects, isObstacle, type CreatedUids, type Obstacle } from './objects.ts'
import { observeGrant } from './observe.ts'
import { policyNamedBy, subjectOf } from './named-in-spec.ts'
import { heldInterval, patience, proveRevocation, type Removal } from './prove.ts'
import {
  activeStatus,
  deniedStatus,
  endedStatus,
  recordedStatus,
  seenStatus,
  waitingStatus,
  whenUnsettled,
} from './status.ts'

/** What a grant's reconciler tells the outside world beside the status. */
export interface GrantObserver {
  grant(labels: { readonly policy: string; readonly namespace: string; readonly outcome: string }): void
  overstay(millis: number): void
}

export interface GrantReconcilerParts {
  readonly client: ClusterClient
  readonly store: GrantStore
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Log
  readonly observer: GrantObserver
  /** Has the grant reconciled at that instant too, whatever becomes of the run that asks for it. */
  readonly remind: (key: ObjectKey, at: Instant) => void
}

/** For so long a refusal to create what carries a grant may be one that passes. */
const forbiddenPatience: Millis = 5_000

type EndOfGrant = Omit<Extract<GrantPlan, { kind: 'End' }>, 'kind'>

/** A grant whose objects are acknowledged to be gone, and whose proof is to come. */
interface Ending extends Removal {
  readonly end: EndOfGrant
}

/** Brings one NHIGrant to where its plan says it must be: observe → plan → enforce → report. */
export class GrantReconciler {
  /** By the grant's UID. Lost in a crash, the removal is made again: what is gone is gone. */
  readonly #endings = new Map<string, Ending>()
  /** By the grant's UID: since when the API server forbids to create its objects; monotonic. */
  readonly #forbiddenSince = new Map<string, Millis>()
  readonly #parts: GrantReconcilerParts

  constructor(parts: GrantReconcilerParts) {
    this.#parts = parts
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const { store, clock } = this.#parts
    await this.#sweep(key)
    const grant = store.get(key)
    if (grant === null) return done
    const ending = this.#endings.get(grant.metadata.uid)
    if (ending !== undefined) return this.#finish(grant, ending)
    const now = clock.now()
    const plan = planGrant(observeGrant(grant), () => this.#inputs(grant), now)
    switch (plan.kind) {
      case 'Rest':
        await this.#report(grant, seenStatus(grant))
        store.release(grant)
        return done
      case 'Wait':
        await this.#report(grant, waitingStatus(grant, plan, now))
        return plan.at === null ? done : again(plan.at)
      case 'Deny':
        return this.#deny(grant, plan.reason, plan.message)
      case 'Issue':
        return this.#issue(key, grant, plan.record)
      case 'Keep':
        return again(plan.lookAgainAt)
      case 'End':
        return this.#end(grant, plan, null)
      case 'Prove':
        return this.#end(grant, endingOf(grant), whenUnsettled(grant))
    }
  }

  #inputs(grant: NHIGrant): GrantInputs {
    const { store } = this.#parts
    const parsed = parseNHIGrant(grant)
    if (!parsed.ok) return { grant: { ok: false, problems: parsed.problems }, world: store.world, accepted: null }
    const { namespace, name, spec } = parsed.value
    const requester = spec.requestedBy === null ? null : requesterNamed(spec.requestedBy)
    const { createdAt } = observeGrant(grant)
    const request = { uid: grant.metadata.uid, namespace, name, spec, requester, createdAt }
    return { grant: { ok: true, request }, world: store.world, accepted: store.accepted(spec.policy.name) }
  }

  /**
   * Write before act: what is created is on record first, its end has been asked for, and the clock is read again in between.
   * By its end all of this is over, whoever does not answer.
   */
  async #issue(key: ObjectKey, grant: NHIGrant, record: GrantRecord): Promise<Outcome> {
    const { client, store, clock, remind } = this.#parts
    const calls = callsUntil(record.notAfter, client, clock)
    store.reserve(grant)
    remind(key, record.notAfter)
    const recorded = await this.#report(grant, recordedStatus(grant, record, clock.now()), calls)
    if (clock.now() >= record.notAfter) return after(0)
    const created = await this.#create(key, recorded, record, calls)
    if (isObstacle(created)) return this.#withdraw(recorded, created, calls)
    if (clock.now() >= record.notAfter) return after(0)
    await this.#report(recorded, activeStatus(recorded, created, clock.now()), calls)
    this.#count(grant, 'Active')
    return again(record.notAfter)
  }

  /**
   * What the API server goes on forbidding the operator to hand out will not be allowed by trying again. One that has just
   * been started forbids for a moment what it allows as soon as it knows all roles.
   */
  async #create(
    key: ObjectKey,
    grant: NHIGrant,
    record: GrantRecord,
    calls: ObjectCalls,
  ): Promise<CreatedUids | Obstacle> {
    const { clock, remind } = this.#parts
    const { uid } = grant.metadata
    const now = clock.monotonic()
    try {
      const created = await createObjects(calls, grant, record, subjectOf(grant))
      this.#forbiddenSince.delete(uid)
      return created
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error
      const since = this.#forbiddenSince.get(uid)
      if (since === undefined) {
        this.#forbiddenSince.set(uid, now)
        remind(key, clock.now() + forbiddenPatience) // the back-off alone may come to it twice as late
        throw error
      }
      if (now - since < forbiddenPatience) throw error
      return { reason: 'NotHeldByOperator', message: `the operator may not hand this out: ${error.message}` }
    }
  }

  /** Part of a grant could not be created: what was is taken back, and it is denied for good. */
  async #withdraw(grant: NHIGrant, obstacle: Obstacle, calls: ObjectCalls): Promise<Outcome> {
    await deleteObjects(calls, grant)
    return this.#deny(grant, obstacle.reason, obstacle.message)
  }

  async #deny(grant: NHIGrant, reason: string, message: string): Promise<Outcome> {
    await this.#report(grant, deniedStatus(grant, reason, message, this.#parts.clock.now()))
    this.#parts.store.release(grant)
    this.#forbiddenSince.delete(grant.metadata.uid)
    this.#count(grant, 'Denied')
    return done
  }

  /** Removes the access and comes back for the proof: of many that end at once, all are removed before one is proved. */
  async #end(grant: NHIGrant, end: EndOfGrant, unsettledSince: Instant | null): Promise<Outcome> {
    const { client, clock } = this.#parts
    const foreign = await deleteObjects(client, grant)
    const removedAt = unsettledSince ?? clock.now()
    const since = clock.monotonic() - Math.max(0, clock.now() - removedAt)
    const ending: Ending = { end, removedAt, since, foreign }
    this.#endings.set(grant.metadata.uid, ending)
    return unsettledSince === null ? after(0) : this.#finish(grant, ending)
  }

  /**
   * Says what the API server says to the removal. What was removed has ended, whatever else has changed since: it is never
   * planned anew. What is not settled, or is held up, is looked at again later, so that no end waits behind the proof of
   * another.
   */
  async #finish(grant: NHIGrant, ending: Ending): Promise<Outcome> {
    const { client, clock, observer, store } = this.#parts
    const { end } = ending
    const proof = await proveRevocation(client, clock, grant, ending)
    await this.#report(grant, endedStatus(grant, end, proof))
    store.release(grant)
    if (grant.status?.state !== end.state) this.#count(grant, end.state)
    if (proof.verdict.kind === 'Unsettled') return after(patience)
    this.#endings.delete(grant.metadata.uid)
    if (proof.verdict.kind === 'HeldByFinalizer') return after(heldInterval)
    if (proof.verdict.kind !== 'NoAccess') observer.overstay(Math.max(0, proof.goneAt - end.at))
    return done
  }

  /** The grant is gone; the garbage collector would remove what it owned, but slowly. */
  async #sweep(key: ObjectKey): Promise<void> {
    const { client, store } = this.#parts
    for (const gone of store.deleted(key)) {
      await deleteObjects(client, gone)
      store.forget(gone)
      this.#endings.delete(gone.metadata.uid)
      this.#forbiddenSince.delete(gone.metadata.uid)
    }
  }

  /** One write per reconcile that changes something; none when the status already says it. */
  async #report(grant: NHIGrant, status: NHIGrantStatus, calls: ObjectCalls = this.#parts.client): Promise<NHIGrant> {
    if (isDeepStrictEqual(status, grant.status)) return grant
    const written = await this.#write(grant, status, calls)
    this.#parts.store.wrote(written)
    announce(this.#parts, newsOfGrant(grant, written))
    return written
  }

  /** A conflict may come from a write of our own whose answer was lost: the next try starts from what is there, not from the cache. */
  async #write(grant: NHIGrant, status: NHIGrantStatus, calls: ObjectCalls): Promise<NHIGrant> {
    const { store } = this.#parts
    try {
      return (await calls.replaceStatus(resources.nhiGrants, { ...grant }, status)) as unknown as NHIGrant
    } catch (error) {
      const { namespace = '', name } = grant.metadata
      const newest = error instanceof Conflict ? await calls.get(resources.nhiGrants, { namespace, name }) : null
      if (newest !== null) store.wrote(newest as unknown as NHIGrant)
      throw error
    }
  }

  #count(grant: NHIGrant, outcome: string): void {
    const { observer, log } = this.#parts
    const namespace = grant.metadata.namespace ?? ''
    const policy = policyNamedBy(grant)
    observer.grant({ policy, namespace, outcome })
    log.info('grant', { namespace, name: grant.metadata.name, policy, outcome })
  }
}

/** How a grant that has ended without proof had ended. */
function endingOf(grant: NHIGrant): EndOfGrant {
  const { state, endedAt, endedReason = '' } = grant.status ?? {}
  const at = endedAt === undefined ? 0 : Date.parse(endedAt)
  return { state: state === 'Revoked' ? 'Revoked' : 'Expired', at, message: endedReason }
}
