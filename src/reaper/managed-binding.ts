import { marks } from '../api/v1alpha1/objects.ts'
import type { MetadataOnly } from '../cluster/ports.ts'
import { resources } from '../cluster/resources.ts'
import { managedByLapse } from '../controllers/marks.ts'

/** What the reaper may touch, by kind. */
export const bindingTypes = {
  RoleBinding: resources.roleBindings,
  ClusterRoleBinding: resources.clusterRoleBindings,
} as const

export type BindingKind = keyof typeof bindingTypes

/**
 * Whether a binding carries a grant by its own labels: exactly what the selector `carriesGrant` selects. Asked again before each removal, for
 * RBAC cannot bind a right to delete to a label.
 */
export function isManaged({ metadata: { labels = {} } }: MetadataOnly): boolean {
  const { managedBy, grantUid } = marks
  return labels[managedBy] === managedByLapse[managedBy] && Object.hasOwn(labels, grantUid)
}

export function finalizersOf({ metadata }: MetadataOnly): readonly string[] {
  return (metadata as { readonly finalizers?: readonly string[] }).finalizers ?? []
}
