import { marks, type AccessPolicyRevision } from '../../api/v1alpha1/objects.ts'
import { Conflict } from '../../cluster/errors.ts'
import type { ClusterClient, KubeObject } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { allocate, isPoolName } from '../../core/policy/pool.ts'
import type { PermissionSet } from '../../core/policy/policy.ts'
import { allEnded } from '../all-ended.ts'
import { deleteExactly } from '../delete-exactly.ts'
import { isOwnedBy, managedByLapse, ownedBy } from '../marks.ts'
import { isSameContent } from '../same-content.ts'
import { describeBinding, removeBinding, strangeBindings } from './pool-bindings.ts'

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

/** The ClusterRole of a set, with its full rules. */
export function roleManifest(revision: AccessPolicyRevision, set: RuleSet, name: string): KubeObject {
  const { metadata, spec } = revision
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: {
      name,
      labels: { ...managedByLapse, [marks.policy]: spec.policyName, [marks.policyVersion]: spec.policy.version },
      annotations: { 'lapse.dev/permission-set': set.name },
      ownerReferences: [ownedBy('AccessPolicyRevision', metadata)],
    },
    rules: set.rules,
  } as object as KubeObject
}

/** Whether a role says what it was created with. What others add in labels of their own is left to them. */
export function isAsCreated(role: KubeObject, manifest: KubeObject): boolean {
  const labels = role.metadata.labels ?? {}
  return (
    isSameContent(role['rules'], manifest['rules']) &&
    (role['aggregationRule'] ?? null) === null &&
    isSameContent(role.metadata.ownerReferences, manifest.metadata.ownerReferences) &&
    Object.entries(manifest.metadata.labels ?? {}).every(([label, value]) => labels[label] === value)
  )
}

/** What became of a role that must be there; restored: it was not as it had been created, for the reason that is given. */
export type ProvidedRole =
  | { readonly kind: 'Ours' }
  | { readonly kind: 'Restored'; readonly message: string }
  /** Somebody else's object stands in its way. */
  | { readonly kind: 'Taken'; readonly by: string }

const ours: ProvidedRole = { kind: 'Ours' }

/**
 * Creates the role with its full rules; it is never changed afterwards. kube-apiserver refuses rules that the operator does not
 * hold itself, and to bind what is not there. `fresh`: the name was given out a moment ago, when nothing referred to it.
 */
export async function createRole(
  client: ClusterClient,
  manifest: KubeObject,
  name: 'fresh' | 'known',
): Promise<ProvidedRole> {
  const cleared = name === 'fresh' ? null : await clearName(client, manifest)
  if (cleared !== null && cleared.kind !== 'Restored') return cleared
  try {
    await client.create(resources.clusterRoles, manifest)
    return cleared ?? ours
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
  }
  const key = { namespace: '', name: manifest.metadata.name }
  const found = await client.get(resources.clusterRoles, key)
  if (found === null) throw new Error('a ClusterRole that existed a moment ago is gone')
  return isAsCreated(found, manifest) ? ours : { kind: 'Taken', by: `ClusterRole ${key.name}` }
}

/**
 * Makes way for a role that was there before. One of ours that says something else is deleted; then whatever was bound to it
 * meanwhile, for it could have given nothing when it was bound: its rules must not come under such a binding.
 */
async function clearName(client: ClusterClient, manifest: KubeObject): Promise<ProvidedRole> {
  const { name, ownerReferences = [] } = manifest.metadata
  const key = { namespace: '', name }
  const found = await client.get(resources.clusterRoles, key)
  if (found !== null) {
    if (isAsCreated(found, manifest)) return ours
    if (!isOwnedBy(found, ownerReferences[0]?.uid ?? '')) return { kind: 'Taken', by: `ClusterRole ${name}` }
    await client.delete(resources.clusterRoles, key, { uid: found.metadata.uid })
  }
  const strange = await strangeBindings(client, new Set([name]))
  await allEnded(strange.map((binding) => removeBinding(client, binding)))
  const stays = strange.find(({ kind }) => kind === 'ClusterRoleBinding')
  if (stays !== undefined) return { kind: 'Taken', by: `${describeBinding(stays)} to ClusterRole ${name}` }
  const also = strange.length === 0 ? '' : `, and removed was ${strange.map(describeBinding).join(', ')}`
  return { kind: 'Restored', message: `ClusterRole ${name} was ${found === null ? 'deleted' : 'changed'}${also}` }
}

/**
 * The kill switch: without their role, all bindings to it are worth nothing at the next request. Only roles that this
 * revision owns are deleted; a role of the name that is somebody else's is left alone.
 */
export async function deleteRoles(
  client: ClusterClient,
  revision: AccessPolicyRevision,
  known: (name: string) => KubeObject | null,
): Promise<void> {
  await allEnded(
    (revision.status?.roles ?? []).map(async ({ clusterRole: name }) => {
      if (await isDeletedAsKnown(client, revision, known(name))) return
      const found = await client.get(resources.clusterRoles, { namespace: '', name })
      if (found !== null && isOwnedBy(found, revision.metadata.uid)) await deleteRole(client, found)
    }),
  )
}

/** False: there may be one under another UID, or nothing is known of it. */
async function isDeletedAsKnown(
  client: ClusterClient,
  revision: AccessPolicyRevision,
  role: KubeObject | null,
): Promise<boolean> {
  if (role === null || !isOwnedBy(role, revision.metadata.uid)) return false
  const { name, uid } = role.metadata
  return (await deleteExactly(client, resources.clusterRoles, { namespace: '', name }, uid)) !== 'another'
}

async function deleteRole(client: ClusterClient, { metadata: { name, uid } }: KubeObject): Promise<void> {
  await client.delete(resources.clusterRoles, { namespace: '', name }, { uid })
}
