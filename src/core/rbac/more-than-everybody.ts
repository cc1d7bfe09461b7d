import { serviceAccountGroups, type Identity } from '../identity.ts'
import { bindingsOf, effectiveRules } from './authorize.ts'
import { covers } from './covers.ts'
import type { BindingObject, RbacView } from './objects.ts'
import type { PolicyRule } from './rule.ts'
import { maxPermissions, countPermissions } from './rule-size.ts'
import { rbacUserOf, subjectKeysOf, type RbacUser } from './subject.ts'

const everybody = ['system:serviceaccounts', 'system:authenticated']

/**
 * Whether the account holds access that not every ServiceAccount holds: by a binding to itself or to the group of its
 * namespace. A binding to a role that is not there counts, for nobody knows what that will give.
 */
export function holdsMoreThanEverybody(
  account: Extract<Identity, { kind: 'ServiceAccount' }>,
  view: RbacView,
): boolean {
  const groups = serviceAccountGroups(account.namespace).filter((group) => !everybody.includes(group))
  const own: RbacUser = { username: rbacUserOf(account).username, groups }
  const namespaces = subjectKeysOf(own).flatMap((key) => view.namespacesNaming(key))
  return ['', ...new Set(namespaces)].some((namespace) => holdsMoreIn(namespace, own, view))
}

function holdsMoreIn(namespace: string, own: RbacUser, view: RbacView): boolean {
  const bindings = bindingsOf(own, view, namespace)
  if (bindings.length === 0) return false
  if (bindings.some((binding) => !hasRole(binding, view))) return true
  const shared = effectiveRules({ username: null, groups: everybody }, namespace, view).map(({ rule }) => rule)
  return effectiveRules(own, namespace, view).some(({ rule }) => isBeyond(rule, shared))
}

function hasRole({ namespace, roleRef }: BindingObject, view: RbacView): boolean {
  if (roleRef.kind === 'ClusterRole') return view.clusterRole(roleRef.name) !== null
  return namespace !== null && view.role(namespace, roleRef.name) !== null
}

/** What would take long to spell out is more than anybody means to give to everybody. */
function isBeyond(rule: PolicyRule, shared: readonly PolicyRule[]): boolean {
  return countPermissions([rule]) > maxPermissions || !covers(shared, [rule]).covered
}
