import { grantDigestOf } from '../../api/v1alpha1/digest.ts'
import type { AccessPolicy, AccessPolicyRevision, NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Cache, ObjectKey } from '../../cluster/ports.ts'
import { readLiveGrant } from '../../world/read-facts.ts'
import type { Approvals } from '../../core/grant/approval.ts'
import type { SetRoles } from '../../core/grant/record.ts'
import type { LiveGrant, World } from '../../core/world.ts'
import type { ApprovalIndex } from './approval-index.ts'

export interface GrantCaches {
  readonly grants: Cache<NHIGrant>
  readonly policies: Cache<AccessPolicy>
  readonly revisions: Cache<AccessPolicyRevision>
}

/**
 * What the grant reconciler reads: the caches, corrected by what it has itself written and the caches do not show yet.
 * Without that correction a grant could be issued twice over its policy's limit, or planned by a status that is history.
 */
export class GrantStore {
  readonly world: World
  readonly #caches: GrantCaches
  readonly #approvals: ApprovalIndex
  readonly #written = new Map<string, NHIGrant>()
  readonly #reserved = new Map<string, LiveGrant>()
  readonly #deleted = new Map<string, readonly NHIGrant[]>()

  constructor(caches: GrantCaches, world: World, approvals: ApprovalIndex) {
    this.#caches = caches
    this.#approvals = approvals
    this.world = {
      ...delegate(world),
      liveGrants: (policy, subject) => this.#issued(world.liveGrants(policy, subject), policy),
    }
  }

  /** The newest state known of a grant; null: it is not there. */
  get(key: ObjectKey): NHIGrant | null {
    const cached = this.#caches.grants.get(key)
    const written = this.#written.get(textOf(key))
    if (cached === null || written === undefined) return cached
    return isNewer(written, cached) ? written : cached
  }

  /** What is said of a grant, as far as the caches show it. */
  approvals({ metadata, spec }: NHIGrant): Approvals {
    return {
      facts: this.#approvals.of(metadata.namespace ?? '', metadata.uid),
      digestUnder: (policyDigest) => grantDigestOf(spec, policyDigest),
    }
  }

  wrote(grant: NHIGrant): void {
    const cached = this.#caches.grants.get(keyOf(grant))
    if (cached !== null && isNewer(grant, cached)) this.#written.set(textOf(keyOf(grant)), grant)
  }

  /** Counts a grant as issued from now on, before its record is in the cache. */
  reserve(grant: NHIGrant): void {
    const live = readLiveGrant(grant)
    if (live !== null) this.#reserved.set(live.uid, { ...live, issued: true })
  }

  /** The cache shows the grant as it is given: what it was corrected by before is history. */
  caughtUp(grant: NHIGrant): void {
    const key = textOf(keyOf(grant))
    const written = this.#written.get(key)
    if (written !== undefined && !isNewer(written, grant)) this.#written.delete(key)
    if (grant.status?.notAfter !== undefined) this.#reserved.delete(grant.metadata.uid)
  }

  /** The grant has ended: it counts no more. */
  release(grant: NHIGrant): void {
    this.#reserved.delete(grant.metadata.uid)
    const key = textOf(keyOf(grant))
    const written = this.#written.get(key)
    const cached = this.#caches.grants.get(keyOf(grant))
    if (written !== undefined && cached !== null && !isNewer(written, cached)) this.#written.delete(key)
  }

  /** A grant that was deleted is remembered until its objects are removed. */
  remember(grant: NHIGrant): void {
    const key = textOf(keyOf(grant))
    this.#deleted.set(key, [...(this.#deleted.get(key) ?? []), this.#newest(grant)])
    this.#written.delete(key)
    this.#reserved.delete(grant.metadata.uid)
  }

  /** Grants of that name that are gone, and whose objects may not be: another of the name may have come since. */
  deleted(key: ObjectKey): readonly NHIGrant[] {
    return this.#deleted.get(textOf(key)) ?? []
  }

  forget(grant: NHIGrant): void {
    const key = textOf(keyOf(grant))
    const others = this.#deleted.get(key)?.filter((other) => other.metadata.uid !== grant.metadata.uid) ?? []
    if (others.length > 0) this.#deleted.set(key, others)
    else this.#deleted.delete(key)
  }

  /** The roles of a policy's active version; null until the policy reconciler says that it is ready. */
  accepted(policy: string): { readonly digest: string; readonly roles: SetRoles } | null {
    const status = this.#caches.policies.get({ namespace: '', name: policy })?.status
    const ready = status?.conditions?.find((condition) => condition.type === 'Ready' && condition.status === 'True')
    const { digest, activeVersion } = status ?? {}
    if (ready === undefined || digest === undefined || activeVersion === undefined) return null
    const revision = this.#caches.revisions.get({ namespace: '', name: `${policy}-${activeVersion}` })
    if (revision === null || revision.spec.digest !== digest) return null
    const roles = new Map((revision.status?.roles ?? []).map((role) => [role.set, role.clusterRole]))
    // The caches follow watches of their own: the policy may be ahead of its revision, whose roles are then to come.
    const isComplete = (revision.spec.policy.permissions ?? []).every((set) => set.clusterRole ?? roles.has(set.name))
    return isComplete || ready.reason === 'PoolExhausted' ? { digest, roles } : null
  }

  /** The roles of a version that was issued under, whether or not its policy is ready now; what is not known is left out. */
  rolesOf(policy: string, version: string, digest: string): SetRoles {
    const revision = this.#caches.revisions.get({ namespace: '', name: `${policy}-${version}` })
    const roles = revision?.spec.digest === digest ? (revision.status?.roles ?? []) : []
    return new Map(roles.map((role) => [role.set, role.clusterRole]))
  }

  #newest(grant: NHIGrant): NHIGrant {
    const written = this.#written.get(textOf(keyOf(grant)))
    return written !== undefined && written.metadata.uid === grant.metadata.uid && isNewer(written, grant)
      ? written
      : grant
  }

  #issued(live: readonly LiveGrant[], policy: string): readonly LiveGrant[] {
    const cached = live.filter((grant) => grant.issued)
    const known = new Set(cached.map((grant) => grant.uid))
    const reserved = [...this.#reserved.values()].filter((grant) => grant.policy === policy && !known.has(grant.uid))
    return [...cached, ...reserved]
  }
}

/** resourceVersions of one resource compare as numbers (KEP-5504). */
function isNewer(a: NHIGrant, b: NHIGrant): boolean {
  return a.metadata.uid === b.metadata.uid && BigInt(a.metadata.resourceVersion) > BigInt(b.metadata.resourceVersion)
}

function delegate(world: World): Omit<World, 'liveGrants'> {
  return {
    rbac: world.rbac,
    credentialNamespaces: world.credentialNamespaces,
    clusterGrants: world.clusterGrants,
    policy: (name) => world.policy(name),
    policies: () => world.policies(),
    revisions: (policy) => world.revisions(policy),
    namespaceLabels: (name) => world.namespaceLabels(name),
    serviceAccount: (namespace, name) => world.serviceAccount(namespace, name),
    liveGrantsOf: (username) => world.liveGrantsOf(username),
    grant: (namespace, name) => world.grant(namespace, name),
    unreviewed: (policy) => world.unreviewed(policy),
    suspension: (subject) => world.suspension(subject),
    grantBindings: () => world.grantBindings(),
  }
}

function keyOf(grant: NHIGrant): ObjectKey {
  return { namespace: grant.metadata.namespace ?? '', name: grant.metadata.name }
}

function textOf(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`
}
