import type { PermissionSet } from '../policy/policy.ts'
import type { RoleRef } from '../rbac/objects.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { RbacSubject } from '../rbac/subject.ts'
import type { Labels } from '../selector.ts'
import type { GrantSpec } from './grant.ts'
import type { AccessObject, SetRoles } from './record.ts'

/** What an object that carries a grant says, as far as a promise rests on it. Lists that are not there are empty. */
export interface CarrierFacts {
  readonly subjects: readonly RbacSubject[]
  /** null: it is a Role. */
  readonly roleRef: RoleRef | null
  readonly rules: readonly PolicyRule[]
  /** Every owner counts: the garbage collector waits for the last of them. */
  readonly owners: readonly { readonly uid: string; readonly controller: boolean; readonly blocks: boolean }[]
  readonly labels: Labels
  /** As it is written; null: it has none. */
  readonly notAfter: string | null
}

export const anotherEnd = 'it had another end'

/** In what an object is not as it was issued, a clause each; empty: in nothing. Labels that are not ours are left to others. */
export function differences(wanted: CarrierFacts, found: CarrierFacts): readonly string[] {
  const ours = wanted.subjects.map(describeSubject)
  const theirs = found.subjects.map(describeSubject)
  const clauses = [
    ...theirs.filter((subject) => !ours.includes(subject)).map((subject) => `it named ${subject}`),
    ...ours.filter((subject) => !theirs.includes(subject)).map((subject) => `it did not name ${subject}`),
    ...roleDifference(wanted.roleRef, found.roleRef),
    ...(sameRules(wanted.rules, found.rules) ? [] : ['it had other rules']),
    ...(sameOwners(wanted, found) ? [] : ['it had other owners']),
    ...(wanted.notAfter === found.notAfter ? [] : [anotherEnd]),
  ]
  const labels = Object.entries(wanted.labels).filter(([name, value]) => found.labels[name] !== value)
  return [...clauses, ...labels.map(([name]) => `it had another label ${name}`)]
}

/**
 * The objects of a grant that is Active, worked out from the names on its record, so that none is added to them. What a name
 * stands for comes from the policy version that it was issued under; a name that stands for nothing there is left out.
 */
export function objectsOnRecord(
  recorded: {
    readonly objects: readonly { readonly kind: AccessObject['kind']; readonly name: string }[]
    /** Everything that was granted. */
    readonly rules: readonly PolicyRule[]
  },
  uid: string,
  spec: Pick<GrantSpec, 'permissions' | 'rules'>,
  version: { readonly sets: readonly PermissionSet[]; readonly roles: SetRoles },
): readonly AccessObject[] {
  const own = `lapse-${uid}`
  const isBound = (set: string): boolean => recorded.objects.some(({ name }) => name === `${own}-${set}`)
  const rest = version.sets.flatMap((set) =>
    set.kind === 'Rules' && spec.permissions.includes(set.name) && !isBound(set.name) ? set.rules : [],
  )
  const granted = new Set(recorded.rules.map(textOfRule))
  const rules = spec.rules.length > 0 ? spec.rules : rest.filter((rule) => granted.has(textOfRule(rule)))
  return recorded.objects.flatMap(({ kind, name }): readonly AccessObject[] => {
    if (kind === 'Role') return name === own ? [{ kind, name, rules }] : []
    if (name === own) return kind === 'RoleBinding' ? [{ kind, name, roleRef: { kind: 'Role', name } }] : []
    const set = version.sets.find((each) => name === `${own}-${each.name}`)
    if (set === undefined) return []
    const clusterRole = set.kind === 'ClusterRole' ? set.clusterRole : version.roles.get(set.name)
    return clusterRole === undefined ? [] : [{ kind, name, roleRef: { kind: 'ClusterRole', name: clusterRole } }]
  })
}

function roleDifference(wanted: RoleRef | null, found: RoleRef | null): readonly string[] {
  if (wanted?.kind === found?.kind && wanted?.name === found?.name) return []
  return [found === null ? 'it referred to no role' : `it referred to ${found.kind} ${found.name}`]
}

function sameRules(a: readonly PolicyRule[], b: readonly PolicyRule[]): boolean {
  return a.length === b.length && a.every((rule, index) => textOfRule(rule) === textOfRule(b[index]))
}

/** One text for rules that the API server keeps as one: it leaves out lists that are empty. */
function textOfRule(rule: PolicyRule | undefined): string {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], ...others } = rule ?? { verbs: [] }
  const rest = Object.values(others).filter((value) => Array.isArray(value) && value.length > 0)
  return JSON.stringify([verbs, apiGroups, resources, resourceNames, rest])
}

function sameOwners(wanted: CarrierFacts, found: CarrierFacts): boolean {
  const [mine] = wanted.owners
  const [first, ...others] = found.owners
  return (
    mine !== undefined &&
    others.length === 0 &&
    first?.uid === mine.uid &&
    first.controller === mine.controller &&
    first.blocks === mine.blocks
  )
}

function describeSubject({ kind, namespace, name }: RbacSubject): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
}
