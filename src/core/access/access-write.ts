import type { BindingObject, RoleObject } from '../rbac/objects.ts'

export interface RoleWrite {
  readonly kind: 'Role'
  /** What the API server has under its name; null: nothing. */
  readonly before: RoleObject | null
  readonly after: RoleObject
}

export interface BindingWrite {
  readonly kind: 'Binding'
  /** What the API server has under its name; null: nothing. */
  readonly before: BindingObject | null
  readonly after: BindingObject
}

/** A Role, ClusterRole, RoleBinding or ClusterRoleBinding that is being written. */
export type AccessWrite = RoleWrite | BindingWrite

interface Place {
  readonly namespace: string | null
  readonly name: string
}

export function samePlace(a: Place, b: Place): boolean {
  return a.namespace === b.namespace && a.name === b.name
}
