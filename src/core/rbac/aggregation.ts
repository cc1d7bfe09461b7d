import { selects } from '../selector.ts'
import type { RoleObject } from './objects.ts'
import { canonicalRule, type PolicyRule } from './rule.ts'

/**
 * The aggregated ClusterRoles among these that have no rules of their own, with the rules that the cluster's controller
 * would give them; aggregates may select aggregates. Live objects already carry theirs, and a manifest with rules is left
 * as it is. Source: kubernetes pkg/controller/clusterroleaggregation.
 */
export function aggregate(clusterRoles: readonly RoleObject[]): readonly RoleObject[] {
  const sorted = [...clusterRoles].sort((a, b) => (a.name < b.name ? -1 : 1))
  const open = sorted.filter((role) => role.aggregation !== undefined && role.rules.length === 0)
  const rules = new Map(sorted.map((role) => [role.name, role.rules]))
  for (let changed = true; changed;) {
    changed = false
    for (const role of open) {
      const found = selectedRules(role, sorted, rules)
      // The union only grows, so an equal length means equal rules.
      changed ||= found.length !== rules.get(role.name)?.length
      rules.set(role.name, found)
    }
  }
  return open.map((role) => ({ ...role, rules: rules.get(role.name) ?? [] }))
}

function selectedRules(
  role: RoleObject,
  all: readonly RoleObject[],
  rules: ReadonlyMap<string, readonly PolicyRule[]>,
): readonly PolicyRule[] {
  const found = new Map<string, PolicyRule>()
  for (const selector of role.aggregation ?? []) {
    for (const other of all) {
      if (other.name === role.name || !selects(selector, other.labels)) continue
      for (const rule of rules.get(other.name) ?? []) found.set(canonicalRule(rule), rule)
    }
  }
  return [...found.values()]
}
