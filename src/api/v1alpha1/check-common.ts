import type { Problem } from '../../core/problem.ts'
import { countPermissions, maxPermissions, type PolicyRule } from '../../core/rbac/rule.ts'
import type { LabelSelector } from '../../core/selector.ts'

/** Adds a problem when a rule does not hold; the message is the one that kube-apiserver gives for the same rule. */
export function demand(holds: boolean, path: string, message: string, problems: Problem[]): void {
  if (!holds) problems.push({ path, message, remedy: '' })
}

export function checkSelector(selector: LabelSelector, path: string, problems: Problem[]): void {
  for (const [index, requirement] of (selector.matchExpressions ?? []).entries()) {
    const takesValues = requirement.operator === 'In' || requirement.operator === 'NotIn'
    const hasValues = (requirement.values ?? []).length > 0
    const message = 'values must be given for In and NotIn, and for no other operator'
    demand(takesValues === hasValues, `${path}.matchExpressions[${index}]`, message, problems)
  }
}

/** A short list of rules can mean millions of single permissions; kube-apiserver's CEL cannot count them. */
export function checkSize(rules: readonly PolicyRule[], path: string, problems: Problem[]): void {
  const size = countPermissions(rules)
  const message = `comes to ${size} single permissions (verbs × groups × resources × names); at most ${maxPermissions} are allowed`
  demand(size <= maxPermissions, path, message, problems)
}
