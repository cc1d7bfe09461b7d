import type { AccessPolicy, AccessPolicyRevision } from '../../api/v1alpha1/objects.ts'
import type { Cache, KubeObject } from '../../cluster/ports.ts'
import type { World } from '../../core/world.ts'
import { isAsCreated } from './roles.ts'

export interface PolicyCaches {
  readonly policies: Cache<AccessPolicy>
  readonly revisions: Cache<AccessPolicyRevision>
  readonly clusterRoles: Cache
}

/** What the policy reconciler reads: the caches, corrected by what it has written and they do not show yet. */
export class PolicyStore {
  readonly #caches: PolicyCaches
  readonly #world: World
  readonly #policies = new Map<string, AccessPolicy>()
  readonly #revisions = new Map<string, AccessPolicyRevision>()

  constructor(caches: PolicyCaches, world: World) {
    this.#caches = caches
    this.#world = world
  }

  policy(name: string): AccessPolicy | null {
    const cached = this.#caches.policies.get({ namespace: '', name })
    const written = this.#policies.get(name)
    return cached === null || written === undefined ? cached : newer(written, cached)
  }

  revisions(policy: string): readonly AccessPolicyRevision[] {
    return this.allRevisions().filter((revision) => revision.spec.policyName === policy)
  }

  allRevisions(): readonly AccessPolicyRevision[] {
    const cached = this.#caches.revisions.list().map((revision) => this.newest(revision))
    const known = new Set(cached.map((revision) => revision.metadata.name))
    return [...cached, ...[...this.#revisions.values()].filter((revision) => !known.has(revision.metadata.name))]
  }

  newest(revision: AccessPolicyRevision): AccessPolicyRevision {
    const written = this.#revisions.get(revision.metadata.name)
    return written === undefined ? revision : newer(written, revision)
  }

  wrotePolicy(policy: AccessPolicy): void {
    this.#policies.set(policy.metadata.name, policy)
  }

  wroteRevision(revision: AccessPolicyRevision): AccessPolicyRevision {
    this.#revisions.set(revision.metadata.name, revision)
    return revision
  }

  /** The cache has seen a deletion: what was written before it is history. */
  forgetPolicy(name: string): void {
    this.#policies.delete(name)
  }

  forgetRevision(name: string): void {
    this.#revisions.delete(name)
  }

  /** The ClusterRole as far as the cache knows; null: it knows none of the name. */
  role(name: string): KubeObject | null {
    return this.#caches.clusterRoles.get({ namespace: '', name })
  }

  /** Whether the ClusterRole is there just as it was created, as far as the cache knows. */
  hasRole(manifest: KubeObject): boolean {
    const role = this.role(manifest.metadata.name)
    return role !== null && isAsCreated(role, manifest)
  }

  activeGrants(policy: string): number {
    return this.#world.liveGrants(policy).filter((grant) => grant.state === 'Active').length
  }
}

/** The later state of one object; another UID means that the one that was written is gone. */
function newer<T extends { readonly metadata: { readonly uid: string; readonly resourceVersion: string } }>(
  written: T,
  cached: T,
): T {
  if (written.metadata.uid !== cached.metadata.uid) return cached
  return BigInt(written.metadata.resourceVersion) > BigInt(cached.metadata.resourceVersion) ? written : cached
}
