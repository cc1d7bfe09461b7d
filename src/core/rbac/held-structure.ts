import { serviceAccountGroups, type Identity } from '../identity.ts'
import type { LabelSelector } from '../selector.ts'
import { bindingsOf, effectiveRules, type AuthorizeOptions, type Provenance } from './authorize.ts'
import { everybody, everybodysRules } from './capabilities/broad-group.ts'
import { covers } from './covers.ts'
import type { BindingObject, RbacView, RoleObject } from './objects.ts'
import { countPermissions, maxPermissions, type PolicyRule } from './rule.ts'
import { rbacUserOf, subjectKeysOf, type RbacUser } from './subject.ts'

/** Every group that everybody is in, and who has no token at all. */
export const anybody: RbacUser = {
  username: 'system:anonymous',
  groups: everybody.filter((name) => name !== 'system:anonymous'),
}

/** A rule with more single permissions needs no comparison, which spells them out. */
const mostThatEverybodyHas = 100

/** The first access that everybody has in the namespace, beyond what a new cluster gives; undefined: there is none. */
export function givenToEverybody(namespace: string, view: RbacView, options: AuthorizeOptions): Provenance | undefined {
  return effectiveRules(anybody, namespace, view, options).find(
    ({ rule }) => countPermissions([rule]) > mostThatEverybodyHas || !covers(everybodysRules, [rule]).covered,
  )
}

/** The first binding to a role whose rules follow from labels that are not the platform's; undefined: there is none. */
export function takenFromLabels(
  bindings: readonly BindingObject[],
  view: RbacView,
  options: AuthorizeOptions,
): Provenance | undefined {
  for (const binding of bindings) {
    if (binding.uid !== '' && options.ignoreBindings?.has(binding.uid)) continue
    const { kind, name } = binding.roleRef
    const role = kind === 'ClusterRole' ? view.clusterRole(name) : null
    if (role === null || !isOpen(role)) continue
    return { kind: 'Binding', binding, role: binding.roleRef, rule: role.rules[0] ?? { verbs: [] } }
  }
  return undefined
}

function isOpen({ aggregation = [] }: RoleObject): boolean {
  return aggregation.some((selector) => !keysOf(selector).every((key) => key.startsWith(platformPrefix)))
}

/** Labels by which Kubernetes' own roles admin, edit and view are put together. */
const platformPrefix = 'rbac.authorization.k8s.io/'

/** A selector without keys selects every ClusterRole, and one that is not there counts as such. */
function keysOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): readonly string[] {
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)]
  return keys.length === 0 ? [''] : keys
}

/** The groups that every ServiceAccount is in, of those that everybody is in. */
const authenticated = ['system:serviceaccounts', 'system:authenticated']

/**
 * Whether the account holds access that not every ServiceAccount holds: by a binding to itself or to the group of its
 * namespace. A binding to a role that is not there counts, for nobody knows what that will give.
 */
export function holdsMoreThanEverybody(
  account: Extract<Identity, { kind: 'ServiceAccount' }>,
  view: RbacView,
): boolean {
  const groups = serviceAccountGroups(account.namespace).filter((group) => !authenticated.includes(group))
  const own: RbacUser = { username: rbacUserOf(account).username, groups }
  const namespaces = subjectKeysOf(own).flatMap((key) => view.namespacesNaming(key))
  return ['', ...new Set(namespaces)].some((namespace) => holdsMoreIn(namespace, own, view))
}

function holdsMoreIn(namespace: string, own: RbacUser, view: RbacView): boolean {
  const bindings = bindingsOf(own, view, namespace)
  if (bindings.length === 0) return false
  if (bindings.some((binding) => !hasRole(binding, view))) return true
  const shared = effectiveRules({ username: null, groups: authenticated }, namespace, view).map(({ rule }) => rule)
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
