import type { PolicyRule } from './rule.ts'

/** The most single permissions that one list of rules may come to: a verb on a resource of a group, by at most one name. */
export const maxPermissions = 2_048

/** How many single permissions the rules come to, without spelling them out: a small list can mean millions. */
export function countPermissions(rules: readonly PolicyRule[]): number {
  return rules.reduce((sum, rule) => {
    const places =
      (rule.apiGroups ?? []).length * (rule.resources ?? []).length * Math.max(1, rule.resourceNames?.length ?? 0)
    return sum + rule.verbs.length * (places + (rule.nonResourceURLs ?? []).length)
  }, 0)
}
