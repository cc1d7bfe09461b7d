import type { Labels, LabelSelector } from '../selector.ts'
import type { PolicyRule } from './rule.ts'
import type { RbacSubject, SubjectKey } from './subject.ts'

/** A Role (namespace set) or ClusterRole (namespace null), as stored: aggregation is already in `rules`. */
export interface RoleObject {
  readonly namespace: string | null
  readonly name: string
  readonly uid: string
  readonly labels: Labels
  readonly rules: readonly PolicyRule[]
  /** Selectors of a ClusterRole's aggregationRule; absent: its rules are its own. */
  readonly aggregation?: readonly LabelSelector[]
}

export interface RoleRef {
  readonly kind: string
  readonly name: string
}

/** A RoleBinding (namespace set) or ClusterRoleBinding (namespace null). */
export interface BindingObject {
  readonly namespace: string | null
  readonly name: string
  /** Empty for a manifest that no cluster has stored. */
  readonly uid: string
  readonly subjects: readonly RbacSubject[]
  readonly roleRef: RoleRef
  /** Whether its label says that it carries a grant. Anybody can set it: good for counting it out, never for trusting it. */
  readonly saysGrant?: true
}

/** The RBAC objects that a decision looks at. Lookups of what is not there give null or nothing. */
export interface RbacView {
  /** Rises with every change: as long as it stays, the same question to this view has the same answer. */
  readonly generation: number
  role(namespace: string, name: string): RoleObject | null
  clusterRole(name: string): RoleObject | null
  roleBindings(namespace: string): readonly BindingObject[]
  /** Namespaces that hold at least one RoleBinding. */
  boundNamespaces(): readonly string[]
  clusterRoleBindings(): readonly BindingObject[]
  /** Bindings with this subject: RoleBindings of the namespace, or ClusterRoleBindings when it is empty. */
  bindingsNaming(subject: SubjectKey, namespace: string): readonly BindingObject[]
  /** Namespaces that hold a RoleBinding with this subject. */
  namespacesNaming(subject: SubjectKey): readonly string[]
}

/** The same, seen from the roles: what a change of one of them concerns. */
export interface RoleView extends RbacView {
  clusterRoles(): readonly RoleObject[]
  /** Those of them that have an aggregationRule. */
  aggregatedRoles(): readonly RoleObject[]
  /** Bindings that refer to the role, whether it exists or not; `namespace` is that of a Role, and null for a ClusterRole. */
  bindingsTo(namespace: string | null, name: string): readonly BindingObject[]
}
