import type { BindingObject, RbacView, RoleObject } from '../rbac/objects.ts'

/** The role that a binding refers to; null: there is none, or the binding can refer to none of its kind. */
export function roleOf({ namespace, roleRef }: BindingObject, view: RbacView): RoleObject | null {
  switch (roleRef.kind) {
    case 'Role':
      return namespace === null ? null : view.role(namespace, roleRef.name)
    case 'ClusterRole':
      return view.clusterRole(roleRef.name)
    default:
      return null
  }
}
