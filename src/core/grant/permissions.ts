import { highFinding, type Finding } from '../finding.ts'
import { describePolicy, type PermissionSet, type Policy } from '../policy/policy.ts'
import { reviewHandingOn } from '../policy/review-permissions.ts'
import { covers } from '../rbac/covers.ts'
import { countPermissions, maxPermissions, describeRule, type PolicyRule } from '../rbac/rule.ts'
import type { World } from '../world.ts'
import type { GrantSpec } from './grant.ts'

/** As many as the status of a grant records. */
const maxRules = 64

/** What a grant asks for; without findings, what it gets. */
export interface AskedPermissions {
  readonly sets: readonly PermissionSet[]
  readonly rules: readonly PolicyRule[]
  readonly findings: readonly Finding[]
}

/**
 * What the grant names in its policy, and whether that covers the narrower rules it lists. Of the sets only those are given that
 * `only` names; null: all.
 */
export function resolvePermissions(
  spec: GrantSpec,
  policy: Policy,
  world: World,
  only: readonly string[] | null = null,
): AskedPermissions {
  const findings: Finding[] = []
  const sets: PermissionSet[] = []
  const ceiling: PolicyRule[] = []
  for (const [index, name] of spec.permissions.entries()) {
    const set = policy.permissions.find((candidate) => candidate.name === name)
    const rules = set === undefined ? null : rulesOf(set, world)
    if (set === undefined || rules === null) {
      findings.push(unknownPermission(set, name, `spec.permissions[${index}]`, policy))
    } else if (only === null || only.includes(name)) {
      sets.push(set)
      ceiling.push(...rules)
    }
  }
  if (findings.length === 0 && sets.length === 0 && spec.permissions.length > 0)
    findings.push(nothingLeft(only ?? [], policy))
  const rules = spec.rules.length > 0 ? spec.rules : ceiling
  if (findings.length === 0) findings.push(...reviewRules(spec, rules, ceiling, policy))
  return { sets, rules, findings }
}

function nothingLeft(only: readonly string[], policy: Policy): Finding {
  const left = only.length === 0 ? 'nothing' : only.join(', ')
  const message = `conditions of ${describePolicy(policy)} let only this be granted now: ${left}`
  return highFinding('permission-constrained', 'spec.permissions', message, 'ask for that, or when they hold')
}

/** The size comes first: nothing may be spelled out that could be millions. */
function reviewRules(
  spec: GrantSpec,
  rules: readonly PolicyRule[],
  ceiling: readonly PolicyRule[],
  policy: Policy,
): readonly Finding[] {
  const size = countPermissions(rules)
  if (rules.length > maxRules || size > maxPermissions) {
    const message = `comes to ${rules.length} rules and ${size} single permissions; at most ${maxRules} and ${maxPermissions} are granted at a time`
    return [highFinding('too-many-rules', 'spec.permissions', message, 'ask for less, or in several grants')]
  }
  const isNarrower = spec.rules.length > 0
  const beyond = isNarrower ? reviewCeiling(rules, ceiling, policy) : []
  return [...beyond, ...reviewHandingOn(rules, isNarrower ? 'spec.rules' : 'spec.permissions')]
}

/** The rules of a set; those for URLs are left out, as no RoleBinding gives them. null: its ClusterRole is not there. */
function rulesOf(set: PermissionSet, world: World): readonly PolicyRule[] | null {
  if (set.kind === 'Rules') return set.rules
  const role = world.rbac.clusterRole(set.clusterRole)
  return role === null ? null : role.rules.filter((rule) => (rule.resources ?? []).length > 0)
}

function unknownPermission(set: PermissionSet | undefined, name: string, path: string, policy: Policy): Finding {
  if (set?.kind === 'ClusterRole')
    return highFinding(
      'permission-unknown',
      path,
      `ClusterRole ${set.clusterRole} of permission ${name} does not exist`,
      `tell ${policy.owner.name}`,
    )
  const known = policy.permissions.map((candidate) => candidate.name).join(', ')
  return highFinding(
    'permission-unknown',
    path,
    `policy ${describePolicy(policy)} has no permission ${name}`,
    `it has: ${known}`,
  )
}

function reviewCeiling(
  asked: readonly PolicyRule[],
  ceiling: readonly PolicyRule[],
  policy: Policy,
): readonly Finding[] {
  return asked.flatMap((rule, index) => {
    const { covered, missing } = covers(ceiling, [rule])
    if (covered) return []
    const beyond = missing.map(describeRule).join('; ')
    return [
      highFinding(
        'beyond-ceiling',
        `spec.rules[${index}]`,
        `beyond what the named permissions of ${describePolicy(policy)} allow: ${beyond}`,
        'ask for less, or name the permissions that cover it',
      ),
    ]
  })
}
