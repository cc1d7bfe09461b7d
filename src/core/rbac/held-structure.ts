import type { LabelSelector } from '../selector.ts'
import { effectiveRules } from './authorize.ts'
import type { AuthorizeOptions, Provenance } from './authorize.ts'
import { everybody, everybodysRules } from './capabilities/broad-group.ts'
import { covers } from './covers.ts'
import { countPermissions } from './rule-size.ts'
import type { BindingObject, RbacView, RoleObject } from './objects.ts'
import type { RbacUser } from './subject.ts'

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
