import { isDeepStrictEqual } from 'node:util'
import { identityOf } from '../api/v1alpha1/identity.ts'
import type {
  AccessPolicy,
  AccessPolicyRevision,
  NHIGrant,
  NHIGrantApproval,
  NHISuspension,
} from '../api/v1alpha1/objects.ts'
import { marks } from '../api/v1alpha1/objects.ts'
import type { Cache, MetadataOnly, ObjectKey } from '../cluster/ports.ts'
import { serviceAccountUsername, usernameOf } from '../core/identity.ts'
import type { WorldIndex, WorldKind } from '../world/world-index.ts'
import { ApproverIndex, grantKeyOf } from './approver-index.ts'
import { GrantIndex } from './grant-index.ts'
import { MergedCache } from './merged-cache.ts'
import type { GrantCarrier } from './nhi-grant/carrier.ts'
import { policyNamedBy } from './nhi-grant/named-in-spec.ts'

/**
 * The caches that the controllers live on. Of some only metadata is asked for, so that the world that they feed knows names,
 * UIDs and labels: a ServiceAccount's `automount` is null there whatever the account says, which no plan of a grant or
 * policy may look at. Who must know it needs a world of whole accounts, as the webhook has.
 */
export interface ControllerCaches {
  readonly policies: Cache<AccessPolicy>
  readonly revisions: Cache<AccessPolicyRevision>
  readonly grants: Cache<NHIGrant>
  readonly approvals: Cache<NHIGrantApproval>
  readonly suspensions: Cache<NHISuspension>
  readonly namespaces: Cache<MetadataOnly>
  readonly serviceAccounts: Cache<MetadataOnly>
  readonly clusterRoles: Cache
  /** RoleBindings that `carriesGrant` selects. */
  readonly grantBindings: Cache<GrantCarrier>
  /** And Roles. */
  readonly grantRoles: Cache<GrantCarrier>
}

/** Caches of what has no namespace beside what does. */
export interface ClusterGrantCaches {
  readonly clusterGrants: Cache<NHIGrant>
  /** ClusterRoleBindings that `carriesGrant` selects. Omitted: the operator may not read them, and no grant has any. */
  readonly clusterGrantBindings?: Cache<GrantCarrier>
}

/** The same with grants for the whole cluster, and what carries them, among the others. */
export function withClusterGrants(
  caches: ControllerCaches,
  { clusterGrants, clusterGrantBindings }: ClusterGrantCaches,
): ControllerCaches {
  const bindings = clusterGrantBindings === undefined ? [] : [clusterGrantBindings]
  return {
    ...caches,
    grants: new MergedCache([caches.grants, clusterGrants]),
    grantBindings: new MergedCache([caches.grantBindings, ...bindings]),
  }
}

/** Feeds a cache into the world. Subscribe with it before anything that reads the world on the same change. */
export function feed<T extends object>(cache: Cache<T>, kind: WorldKind, world: WorldIndex): void {
  cache.subscribe((change) => world.apply(kind, change))
}

export interface Enqueue {
  policy(name: string): void
  /** Only the count of its grants may have changed, which people read: many changes may be taken together. */
  policyCount(name: string): void
  grant(key: ObjectKey): void
  /** Those of a policy that has changed, however many: the policy itself goes first. */
  grantsOfPolicy(keys: readonly ObjectKey[]): void
}

/** Which keys a change concerns. A key is all that is passed on: what happened is read again when its turn comes. */
export function watchAll(caches: ControllerCaches, enqueue: Enqueue): void {
  const index = new GrantIndex()
  caches.grants.subscribe((change) => index.apply(change))
  const eachOf = (keys: readonly ObjectKey[]): void => keys.forEach((key) => enqueue.grant(key))
  caches.policies.subscribe(({ key, before, after }) => {
    enqueue.policy(key.name)
    if (!differOnlyInCount(before, after)) enqueue.grantsOfPolicy(index.ofPolicy(key.name))
  })
  caches.revisions.subscribe(({ before, after }) => {
    const policy = (after ?? before)?.spec.policyName ?? ''
    enqueue.policy(policy)
    enqueue.grantsOfPolicy(index.ofPolicy(policy))
  })
  caches.grants.subscribe(({ key, before, after }) => {
    enqueue.grant(key)
    if (before?.status?.state !== after?.status?.state) enqueue.policyCount(policyOfChange(before, after))
  })
  const approvers = new ApproverIndex()
  caches.approvals.subscribe((change) => {
    approvers.apply(change)
    const approval = change.after ?? change.before
    if (approval !== null) enqueue.grant(grantKeyOf(approval))
  })
  caches.suspensions.subscribe(({ before, after }) => {
    for (const suspension of [before, after]) {
      if (suspension === null) continue
      const subject = identityOf(suspension.spec.subject)
      eachOf(index.ofSubject(subject))
      eachOf(approvers.of(usernameOf(subject)))
    }
  })
  caches.serviceAccounts.subscribe(({ key, before, after }) => {
    eachOf(index.ofAccount(key))
    if (before === null || after === null) eachOf(approvers.of(serviceAccountUsername(key.namespace, key.name)))
  })
  caches.namespaces.subscribe(({ key }) => eachOf(index.ofNamespace(key.name)))
  caches.clusterRoles.subscribe(({ before, after }) => {
    const policies = new Set([before, after].map((role) => role?.metadata.labels?.[marks.policy]))
    for (const policy of policies) if (policy !== undefined) enqueue.policy(policy)
  })
}

function differOnlyInCount(before: AccessPolicy | null, after: AccessPolicy | null): boolean {
  if (before === null || after === null || before.metadata.generation !== after.metadata.generation) return false
  const { grants: _, ...was } = before.status ?? {}
  const { grants: __, ...is } = after.status ?? {}
  return isDeepStrictEqual(was, is)
}

function policyOfChange(before: NHIGrant | null, after: NHIGrant | null): string {
  const grant = after ?? before
  return grant === null ? '' : policyNamedBy(grant)
}
