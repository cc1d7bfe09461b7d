import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { ClusterClient, KubeObject, ObjectKey } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import type { RoleRef } from '../../core/rbac/objects.ts'
import { isOwnedBy } from '../marks.ts'

/**
 * RoleBindings to the Role of a grant's own that are not the grant's, by a consistent list. Somebody may have bound a Role of
 * that name while it gave nothing: its rules must not come under such a binding.
 */
export async function bindingsToOwnRole(
  client: Pick<ClusterClient, 'list'>,
  grant: NHIGrant,
): Promise<readonly (ObjectKey & { readonly uid: string })[]> {
  const { namespace = '', uid } = grant.metadata
  const bindings = await client.list(resources.roleBindings, { namespace })
  return bindings
    .filter((binding) => isTo(binding, `lapse-${uid}`) && !isOwn(binding, grant))
    .map(({ metadata }) => ({ namespace, name: metadata.name, uid: metadata.uid }))
}

function isTo(binding: KubeObject, role: string): boolean {
  const { kind, name } = (binding['roleRef'] ?? {}) as Partial<RoleRef>
  return kind === 'Role' && name === role
}

/** By name and owner: one of the grant's own that says something else is another matter. */
function isOwn({ metadata }: KubeObject, grant: NHIGrant): boolean {
  return metadata.name === `lapse-${grant.metadata.uid}` && isOwnedBy({ metadata }, grant.metadata.uid)
}
