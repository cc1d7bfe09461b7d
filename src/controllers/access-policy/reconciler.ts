import { isDeepStrictEqual } from 'node:util'
import { parseAccessPolicy } from '../../api/v1alpha1/parse-access-policy.ts'
import { marks, type AccessPolicy, type AccessPolicyRevision } from '../../api/v1alpha1/objects.ts'
import type { AccessPolicyRevisionStatus } from '../../api/v1alpha1/access-policy-revision.schema.ts'
import type { AccessPolicyStatus } from '../../api/v1alpha1/access-policy.schema.ts'
import { Forbidden } from '../../cluster/errors.ts'
import type { ClusterClient, EventSink, KubeObject } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { planPolicy, type PolicyPlan } from '../../core/policy/plan.ts'
import type { PermissionSet, Policy } from '../../core/policy/policy.ts'
import { formatInstant, type Instant, type Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { after, again, done, type Outcome } from '../../runtime/queue.ts'
import { allEnded } from '../all-ended.ts'
import { announce } from '../announce.ts'
import { newsOfPolicy } from './news.ts'
import type { PolicyStore } from './policy-store.ts'
import { createRevision, recordedVersionOf, revisionName } from './revisions.ts'
import { allocateRoles, createRole, deleteRoles, roleManifest } from './roles.ts'
import { acceptedStatus, rejectedStatus } from './status.ts'

export interface PolicyReconcilerParts {
  readonly client: ClusterClient
  readonly store: PolicyStore
  readonly poolSize: number
  /** ClusterRoles that an admin let the operator bind by name. */
  readonly bindableClusterRoles: readonly string[]
  readonly events: EventSink
  readonly observer: { drift(found: { readonly kind: string; readonly outcome: string }): void }
  readonly clock: Clock
  readonly log: Log
}

type Acceptance = Extract<PolicyPlan, { kind: 'Accept' }>

interface ProvidedRoles {
  /** Sets for which the pool has no room. */
  readonly unpooled: readonly string[]
  /** What is somebody else's and stands in the way of a name on record. */
  readonly taken: readonly string[]
}

/** How often what only an admin can clear away is tried again: a rule that the operator does not hold, a name that is taken. */
const retryRefused: Millis = 30_000

/** Brings one AccessPolicy, its revisions and their roles to where the plan says: observe → plan → enforce → report. */
export class PolicyReconciler {
  readonly #parts: PolicyReconcilerParts

  constructor(parts: PolicyReconcilerParts) {
    this.#parts = parts
  }

  async reconcile(name: string): Promise<Outcome> {
    const { store, clock } = this.#parts
    const object = store.policy(name)
    const revisions = store.revisions(name)
    const now = clock.now()
    const parsed = object === null ? null : parseAccessPolicy(object)
    const plan = planPolicy(parsed, revisions.map(recordedVersionOf), now)
    switch (plan.kind) {
      case 'Withdraw':
        await this.#retire(revisions, plan.versions, 'revokedAt', now)
        return done
      case 'Reject':
        if (object !== null) await this.#report(object, rejectedStatus(object, plan.reason, plan.message, now))
        return done
      case 'Accept':
        return object === null ? done : this.#accept(object, plan, revisions, now)
    }
  }

  async #accept(
    object: AccessPolicy,
    plan: Acceptance,
    revisions: readonly AccessPolicyRevision[],
    now: Instant,
  ): Promise<Outcome> {
    const { client, store } = this.#parts
    const unbindable = plan.policy.permissions.filter(
      (set) => set.kind === 'ClusterRole' && !this.#mayBind(set.clusterRole),
    )
    if (unbindable.length > 0) return this.#refuse(object, unbindable, now)
    await this.#retire(revisions, plan.supersede, 'supersededAt', now)
    const known = revisions.find((revision) => revision.spec.policy.version === plan.policy.version)
    const revision = known ?? (await createRevision(client, object, plan.policy, now))
    if (revision === null) {
      const name = revisionName(plan.policy.name, plan.policy.version)
      return this.#collide(object, `AccessPolicyRevision ${name}`, now)
    }
    if (known === undefined) store.wroteRevision(revision)
    try {
      const { unpooled, taken } = await this.#provideRoles(object, revision, plan.policy)
      if (taken.length > 0) return await this.#collide(object, taken.join(', '), now)
      const facts = { expired: plan.expired, unpooled, activeGrants: store.activeGrants(plan.policy.name) }
      await this.#report(object, acceptedStatus(object, plan.policy, facts, now))
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error
      const message = `the operator may not hand out what the policy lists; widen what it holds: ${error.message}`
      await this.#report(object, rejectedStatus(object, 'RulesNotHeld', message, now))
      return after(retryRefused)
    }
    return plan.lookAgainAt === null ? done : again(plan.lookAgainAt)
  }

  #mayBind(clusterRole: string): boolean {
    return this.#parts.bindableClusterRoles.includes(clusterRole)
  }

  async #refuse(object: AccessPolicy, sets: readonly PermissionSet[], now: Instant): Promise<Outcome> {
    const names = sets.map((set) => (set.kind === 'ClusterRole' ? set.clusterRole : set.name)).join(', ')
    const message = `the operator may not bind ClusterRole ${names}; add it to bindableClusterRoles of the installation`
    await this.#report(object, rejectedStatus(object, 'RoleNotBindable', message, now))
    return done
  }

  /** Somebody else's object has a name that only ours may have. It is left alone, and so is the policy until it is gone. */
  async #collide(object: AccessPolicy, what: string, now: Instant): Promise<Outcome> {
    const message = `${what} exists already and is not this policy's; delete it, or raise spec.version`
    await this.#report(object, rejectedStatus(object, 'ObjectNotOurs', message, now))
    return after(retryRefused)
  }

  /** Every set of rules gets its ClusterRole, by a mapping that is on record before the role exists. */
  async #provideRoles(object: AccessPolicy, revision: AccessPolicyRevision, policy: Policy): Promise<ProvidedRoles> {
    const sets = policy.permissions.filter((set) => set.kind === 'Rules')
    const mapped = new Map((revision.status?.roles ?? []).map((role) => [role.set, role.clusterRole]))
    const unmapped = sets.filter((set) => !mapped.has(set.name)).map((set) => set.name)
    if (unmapped.length > 0) {
      const { client, store, poolSize } = this.#parts
      const found = await allocateRoles(client, unmapped, poolSize, store.allRevisions())
      for (const { set, clusterRole } of found) mapped.set(set, clusterRole)
      if (found.length > 0) await this.#writeRevision(revision, { roles: mappingOf(mapped) })
    }
    const pooled = sets.flatMap((set) => {
      const clusterRole = mapped.get(set.name)
      if (clusterRole === undefined) return []
      const known = unmapped.includes(set.name) ? 'fresh' : 'known'
      return [this.#provideRole(object, roleManifest(revision, set, clusterRole), known)]
    })
    const taken = (await allEnded(pooled)).filter((name) => name !== null)
    return { unpooled: sets.map((set) => set.name).filter((name) => !mapped.has(name)), taken }
  }

  /** What stands in the way of the role; null: nothing, it is there. */
  async #provideRole(object: AccessPolicy, manifest: KubeObject, name: 'fresh' | 'known'): Promise<string | null> {
    const { client, store } = this.#parts
    if (store.hasRole(manifest)) return null
    const provided = await createRole(client, manifest, name)
    if (provided.kind === 'Restored') this.#tellRestored(object, manifest, provided.message)
    return provided.kind === 'Taken' ? provided.by : null
  }

  /** A role that had never been created before the operator was ended is no news. */
  #tellRestored({ apiVersion, kind, metadata, status }: AccessPolicy, role: KubeObject, note: string): void {
    if (status?.activeVersion !== role.metadata.labels?.[marks.policyVersion]) return
    this.#parts.log.warn('drift healed', { policy: metadata.name, found: note })
    this.#parts.observer.drift({ kind: 'PoolRole', outcome: 'Healed' })
    const news = { type: 'Warning', reason: 'DriftHealed', action: 'Restore', note } as const
    announce(this.#parts, [{ regarding: { apiVersion, kind, metadata }, ...news }])
  }

  /** Takes versions out of force: their roles first, which ends all access through them, then the record says so. */
  async #retire(
    revisions: readonly AccessPolicyRevision[],
    versions: readonly string[],
    field: 'supersededAt' | 'revokedAt',
    now: Instant,
  ): Promise<void> {
    const { client, store } = this.#parts
    for (const revision of revisions) {
      if (!versions.includes(revision.spec.policy.version)) continue
      await deleteRoles(client, revision, (name) => store.role(name))
      await this.#writeRevision(revision, { [field]: formatInstant(now) })
      this.#parts.log.info('policy version retired', { revision: revision.metadata.name, as: field })
    }
  }

  async #writeRevision(revision: AccessPolicyRevision, changed: AccessPolicyRevisionStatus): Promise<void> {
    const { client, store } = this.#parts
    const newest = store.newest(revision)
    const status = { ...newest.status, ...changed }
    const written = await client.replaceStatus(resources.accessPolicyRevisions, { ...newest }, status)
    store.wroteRevision(written as unknown as AccessPolicyRevision)
  }

  async #report(object: AccessPolicy, status: AccessPolicyStatus): Promise<void> {
    if (isDeepStrictEqual(status, object.status)) return
    const written = (await this.#parts.client.replaceStatus(
      resources.accessPolicies,
      { ...object },
      status,
    )) as unknown as AccessPolicy
    this.#parts.store.wrotePolicy(written)
    announce(this.#parts, newsOfPolicy(object, written))
  }
}

function mappingOf(mapped: ReadonlyMap<string, string>): NonNullable<AccessPolicyRevisionStatus['roles']> {
  return [...mapped].map(([set, clusterRole]) => ({ set, clusterRole }))
}
