import { marks, type AccessPolicyRevision } from '../../api/v1alpha1/objects.ts'
import { Conflict } from '../../cluster/errors.ts'
import type { ClusterClient, KubeObject } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { allocate, isPoolName } from '../../core/policy/pool.ts'
import type { PermissionSet } from '../../core/policy/policy.ts'
import { allEnded } from '../all-ended.ts'
import { isOwnedBy, managedByLapse, ownedBy } from '../marks.ts'
import { isSameContent } from '../same-content.ts'

export type RuleSet = Extract<PermissionSet, { kind: 'Rules' }>

/** Which ClusterRole carries which set of a revision. */
export type RoleMapping = readonly { readonly set: string; readonly clusterRole: string }[]

/**
 * Finds names for sets that have none, from consistent lists: a name that any binding anywhere refers to is never given
 * out, whoever made the binding. Sets for which the pool has no room are left out.
 */
export async function allocateRoles(
  client: ClusterClient,
  sets: readonly string[],
  poolSize: number,
  revisions: readonly AccessPolicyRevision[],
): Promise<RoleMapping> {
  const [clusterRoles, roleBindings, clusterRoleBindings] = await Promise.all([
    client.list(resources.clusterRoles),
    client.list(resources.roleBindings),
    client.list(resources.clusterRoleBindings),
  ])
  const taken = new Set(clusterRoles.map((role) => role.metadata.name).filter(isPoolName))
  for (const binding of [...roleBindings, ...clusterRoleBindings]) taken.add(roleNameOf(binding))
  const usedBefore = new Set<string>()
  for (const { status } of revisions) {
    const inForce = status?.supersededAt === undefined && status?.revokedAt === undefined
    for (const { clusterRole } of status?.roles ?? []) (inForce ? taken : usedBefore).add(clusterRole)
  }
  const names = allocate(sets.length, { size: poolSize, taken, usedBefore })
  return names.map((clusterRole, index) => ({ set: sets[index] ?? '', clusterRole }))
}

function roleNameOf(binding: KubeObject): string {
  const roleRef = binding['roleRef'] as { readonly name?: string } | undefined
  return roleRef?.name ?? ''
}

/**
 * Creates the ClusterRole of a set with its full rules; it is never changed afterwards. kube-apiserver refuses rules that
 * the operator does not hold itself. `taken`: somebody else has a role of that name, and nothing of ours refers to it.
 */
export async function createRole(
  client: ClusterClient,
  revision: AccessPolicyRevision,
  set: RuleSet,
  name: string,
): Promise<'ours' | 'taken'> {
  const { metadata, spec } = revision
  const manifest = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name,
      labels: { ...managedByLapse, [marks.policy]: spec.policyName, [marks.policyVersion]: spec.policy.version },
      annotations: { 'lapse.dev/permission-set': set.name },
      ownerReferences: [ownedBy('AccessPolicyRevision', metadata)],
    },
    rules: set.rules,
  }
  try {
    await client.create(resources.clusterRoles, manifest)
    return 'ours'
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
  }
  const found = await client.get(resources.clusterRoles, { namespace: '', name })
  if (found === null) throw new Error('a ClusterRole that existed a moment ago is gone')
  return isOwnedBy(found, metadata.uid) && isSameContent(found['rules'], set.rules) ? 'ours' : 'taken'
}

/**
 * The kill switch: without their role, all bindings to it are worth nothing at the next request. Only roles that this
 * revision owns are deleted; a role of the name that is somebody else's is left alone.
 */
export async function deleteRoles(client: ClusterClient, revision: AccessPolicyRevision): Promise<void> {
  await allEnded(
    (revision.status?.roles ?? []).map(async ({ clusterRole }) => {
      const key = { namespace: '', name: clusterRole }
      const found = await client.get(resources.clusterRoles, key)
      if (found === null || !isOwnedBy(found, revision.metadata.uid)) return
      await client.delete(resources.clusterRoles, key, { uid: found.metadata.uid })
    }),
  )
}
