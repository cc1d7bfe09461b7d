import type { RoleView, RoleObject } from '../rbac/objects.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import { selects } from '../selector.ts'

/**
 * What a role hands on, or soon will: its rules as stored, and those of the ClusterRoles that its aggregationRule selects,
 * which the cluster's controller writes into it a moment later.
 */
export function carriedRules(role: RoleObject, view: RoleView): readonly PolicyRule[] {
  if (role.aggregation === undefined) return role.rules
  const known = new Set([role.name])
  const found = [...role.rules]
  const open = [role]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const other of view.clusterRoles()) {
      if (known.has(other.name) || !aggregates(next, other)) continue
      known.add(other.name)
      found.push(...other.rules)
      if (other.aggregation !== undefined) open.push(other)
    }
  }
  return found
}

/** Names of the ClusterRoles into which the rules of this one are written, step by step: `edit`, then `admin`. */
export function aggregatesOf(role: RoleObject, view: RoleView): ReadonlySet<string> {
  const names = new Set<string>()
  if (role.namespace !== null) return names
  const open = [role]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const above of view.aggregatedRoles()) {
      if (above.name === role.name || names.has(above.name) || !aggregates(above, next)) continue
      names.add(above.name)
      open.push(above)
    }
  }
  return names
}

function aggregates(above: RoleObject, role: RoleObject): boolean {
  return above.name !== role.name && (above.aggregation ?? []).some((selector) => selects(selector, role.labels))
}
