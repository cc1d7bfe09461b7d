import { boundRole, fullAuthority, ruleAllows } from './authorize.ts'
import type { Provenance, RequestAttributes } from './authorize.ts'
import type { BindingObject, RbacView } from './objects.ts'
import type { PolicyRule } from './rule.ts'
import { subjectKeyOf, superUserGroup } from './subject.ts'
import type { RbacSubject, SubjectKey } from './subject.ts'

/** A subject that may do it, and what gives it the access. */
export interface Holder {
  /** As the binding names it: a ServiceAccount without a namespace is one of the binding's own. */
  readonly subject: RbacSubject
  /** Whom it stands for; null: nobody, for the binding names what cannot be. */
  readonly key: SubjectKey | null
  /** Of a ClusterRoleBinding the access holds in every namespace, of a RoleBinding in its own. */
  readonly by: Provenance
}

/**
 * Every subject that RBAC lets do it: those of ClusterRoleBindings, then those of RoleBindings in the request's namespace.
 * One entry for a subject of a binding. An empty namespace asks for the whole cluster, to which no RoleBindings add up.
 * Source: kubernetes plugin/pkg/auth/authorizer/rbac/subject_locator.go.
 */
export function whoCan(request: RequestAttributes, view: RbacView): readonly Holder[] {
  const local = request.namespace === '' ? [] : view.roleBindings(request.namespace)
  const holders = [...view.clusterRoleBindings(), ...local].flatMap((binding) => holdersOf(binding, request, view))
  return [...superUsers(request), ...holders]
}

function holdersOf(binding: BindingObject, request: RequestAttributes, view: RbacView): readonly Holder[] {
  const rule = boundRole(binding, view)?.rules.find((each) => ruleAllows(each, request))
  if (rule === undefined) return []
  const by: Provenance = { kind: 'Binding', binding, role: binding.roleRef, rule }
  return binding.subjects.map((subject) => ({ subject, key: subjectKeyOf(subject, binding.namespace ?? ''), by }))
}

function superUsers(request: RequestAttributes): readonly Holder[] {
  const rule = fullAuthority.find((each: PolicyRule) => ruleAllows(each, request))
  if (rule === undefined) return []
  const subject = { kind: 'Group', name: superUserGroup }
  return [{ subject, key: subjectKeyOf(subject, ''), by: { kind: 'SuperUser', rule } }]
}
