import { highFinding, type Finding } from '../finding.ts'
import { describeIdentity, usernameOf, type Requester } from '../identity.ts'
import { describePolicy, type Policy, type RequesterRule } from '../policy/policy.ts'
import { canonicalIdentity } from '../policy/select.ts'
import type { GrantSpec } from './grant.ts'

/** What stands against that requester: none of the rules names him. */
export function reviewRequester(
  spec: GrantSpec,
  requester: Requester | null,
  rules: readonly RequesterRule[],
  policy: Policy,
  isAdmitted: boolean,
): readonly Finding[] {
  if (requester !== null && rules.some((rule) => mayRequest(rule, requester, spec, isAdmitted))) return []
  const who = requester === null ? 'an unknown requester' : requester.username
  return [
    highFinding(
      'requester-not-allowed',
      'spec.requestedBy',
      `policy ${describePolicy(policy)} does not let ${who} ask for ${describeIdentity(spec.subject)}`,
      `allowed to ask: ${rules.map(describeRequester).join(', ')}`,
    ),
  ]
}

/**
 * The groups of a user who is no ServiceAccount are known only at admission. Where they are not known, a Group entry
 * stands on the admission that the grant has passed, and only if that asked the version that is active now: another one
 * may have let other groups ask.
 */
function mayRequest(rule: RequesterRule, requester: Requester, spec: GrantSpec, isAdmitted: boolean): boolean {
  if (rule.kind === 'Self') return usernameOf(canonicalIdentity(spec.subject)) === requester.username
  return isNamed(rule, requester, isAdmitted)
}

/** Whether the rule means that requester. Groups that nobody knows here are taken for the rule's own if `isAdmitted`. */
export function isNamed(
  rule: Exclude<RequesterRule, { kind: 'Self' }>,
  { username, groups }: Requester,
  isAdmitted: boolean,
): boolean {
  if (rule.kind !== 'Group') return usernameOf(rule) === username
  return groups === null ? isAdmitted : groups.includes(rule.name)
}

export function describeRequester(rule: RequesterRule): string {
  return rule.kind === 'Self' ? 'the subject itself' : describeIdentity(rule)
}
