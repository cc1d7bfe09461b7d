import { isDeepStrictEqual } from 'node:util'
import type { AccessPolicy, AccessPolicyRevision, NHIGrant } from '../api/v1alpha1/objects.ts'
import { marks } from '../api/v1alpha1/objects.ts'
import type { Cache, ObjectKey } from '../cluster/ports.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import type { WorldIndex, WorldKind } from '../world/world-index.ts'
import { policyNamedBy, subjectOf } from './nhi-grant/named-in-spec.ts'

/** The caches that the controllers live on. */
export interface ControllerCaches {
  readonly policies: Cache<AccessPolicy>
  readonly revisions: Cache<AccessPolicyRevision>
  readonly grants: Cache<NHIGrant>
  readonly namespaces: Cache
  readonly serviceAccounts: Cache
  readonly clusterRoles: Cache
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
}

/** Which keys a change concerns. A key is all that is passed on: what happened is read again when its turn comes. */
export function watchAll(caches: ControllerCaches, enqueue: Enqueue): void {
  const grantsWhere = (concerns: (grant: NHIGrant) => boolean): void => {
    for (const grant of caches.grants.list()) if (concerns(grant)) enqueue.grant(keyOf(grant))
  }
  caches.policies.subscribe(({ key, before, after }) => {
    enqueue.policy(key.name)
    if (!differOnlyInCount(before, after)) grantsWhere((grant) => policyNamedBy(grant) === key.name)
  })
  caches.revisions.subscribe(({ before, after }) => {
    const policy = (after ?? before)?.spec.policyName ?? ''
    enqueue.policy(policy)
    grantsWhere((grant) => policyNamedBy(grant) === policy)
  })
  caches.grants.subscribe(({ key, before, after }) => {
    enqueue.grant(key)
    if (before?.status?.state !== after?.status?.state) enqueue.policyCount(policyOfChange(before, after))
  })
  caches.serviceAccounts.subscribe(({ key }) =>
    grantsWhere((grant) => {
      const account = accountOf(grant)
      return account?.namespace === key.namespace && account.name === key.name
    }),
  )
  caches.namespaces.subscribe(({ key }) =>
    grantsWhere((grant) => grant.metadata.namespace === key.name || accountOf(grant)?.namespace === key.name),
  )
  caches.clusterRoles.subscribe(({ before, after }) => {
    const policy = (after ?? before)?.metadata.labels?.[marks.policy]
    if (policy !== undefined) enqueue.policy(policy)
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

/** The ServiceAccount that the grant is for, also when it is spelled as a User; null: it is for somebody else. */
function accountOf(grant: NHIGrant): ObjectKey | null {
  const subject = canonicalIdentity(subjectOf(grant))
  return subject.kind === 'ServiceAccount' ? subject : null
}

function keyOf(grant: NHIGrant): ObjectKey {
  return { namespace: grant.metadata.namespace ?? '', name: grant.metadata.name }
}
