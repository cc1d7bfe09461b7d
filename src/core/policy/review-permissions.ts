import { highFinding, type Finding } from '../finding.ts'
import { handsOn } from '../rbac/hands-on.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { Policy } from './policy.ts'

/**
 * Rules that must not be granted, whatever the operator holds: with them a subject could make its access outlive the grant.
 * `path` is the field of the list.
 */
export function reviewHandingOn(rules: readonly PolicyRule[], path: string): readonly Finding[] {
  return rules.flatMap((rule, index) => {
    const power = handsOn(rule)
    if (power === null) return []
    const message = `allows ${power}, with which access can be kept or handed on beyond the end of a grant`
    return [
      highFinding(
        'hands-on-access',
        `${path}[${index}]`,
        message,
        'leave it out, or name verbs and resources one by one',
      ),
    ]
  })
}

/** The same for every set of rules of a policy. */
export function reviewPermissions(policy: Policy): readonly Finding[] {
  return policy.permissions.flatMap((set, index) =>
    set.kind === 'Rules' ? reviewHandingOn(set.rules, `spec.permissions[${index}].rules`) : [],
  )
}
