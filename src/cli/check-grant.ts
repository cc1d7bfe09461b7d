import type { ParsedGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import type { Finding } from '../core/finding.ts'
import { decideGrant, type GrantDecision } from '../core/grant/decide.ts'
import { requesterNamed, usernameOf, type Requester } from '../core/identity.ts'
import type { Enforcement, Policy, RequesterRule } from '../core/policy/policy.ts'
import type { World } from '../core/world.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import { judgementOf, type JudgedFinding, type Judgement } from './check-finding.ts'
import type { Setting } from './check-setting.ts'

/** The verdict on a grant; where nobody is said to ask, on whether there is anybody who may. */
export function judgeGrant(grant: ParsedGrant, { requester, world, now }: Setting): Judgement {
  const policy = world.policy(grant.spec.policy.name)
  const under =
    (enforcement: Enforcement) =>
    (finding: Finding): JudgedFinding => ({ ...finding, enforcement, policy })
  const decide = (who: Requester | null): GrantDecision =>
    decideGrant({ ...grant, uid: null, requester: who, createdAt: null }, world, now)
  const known = decide(requester ?? namedWithoutGroups(grant))
  const judged = (finding: Finding): JudgedFinding => under(isOpenHere(finding, world) ? 'Warn' : 'Deny')(finding)
  if (requester !== null || !refusesRequester(known)) return judgementOf(findingsOf(known).map(judged))
  const assumed = decide(assumedRequester(grant, policy))
  const doubt = refusesRequester(assumed) ? [] : [under('Warn')(requesterUnknown(grant, policy))]
  return judgementOf([...findingsOf(assumed).map(judged), ...doubt])
}

/** How the operator is set up stands neither in files nor in the cluster's objects. */
function isOpenHere({ check }: Finding, world: World): boolean {
  return (
    (check === 'credential-namespace' && world.credentialNamespaces === null) ||
    (check === 'cluster-grants-off' && world.clusterGrants === null)
  )
}

/** Groups that only an API server knows must not be taken for granted. */
function namedWithoutGroups({ spec }: ParsedGrant): Requester | null {
  if (spec.requestedBy === null) return null
  const named = requesterNamed(spec.requestedBy)
  return { username: named.username, groups: named.groups ?? [] }
}

/** The requester that the grant names, in whatever groups it takes; else one that the policy lets ask. */
function assumedRequester({ spec }: ParsedGrant, policy: Policy | null): Requester | null {
  if (spec.requestedBy !== null) return requesterNamed(spec.requestedBy)
  const rules = policy?.grants?.requesters ?? []
  return rules.map((rule) => someoneAllowedBy(rule, spec)).find((someone) => someone !== null) ?? null
}

function someoneAllowedBy(rule: RequesterRule, spec: ParsedGrant['spec']): Requester | null {
  if (rule.kind === 'Group') return { username: '', groups: [rule.name] }
  const username = usernameOf(rule.kind === 'Self' ? canonicalIdentity(spec.subject) : rule)
  return username === null ? null : { username, groups: [] }
}

function requesterUnknown({ spec }: ParsedGrant, policy: Policy | null): Finding {
  const allowed = (policy?.grants?.requesters ?? []).map((rule) =>
    rule.kind === 'Self' ? 'Self' : `${rule.kind} ${rule.name}`,
  )
  const who =
    spec.requestedBy === null
      ? 'who asks is not known here'
      : `the groups of ${spec.requestedBy}, who asks, are not known here`
  return {
    check: 'requester-unknown',
    severity: 'Info',
    path: 'spec.requestedBy',
    message: `${who}, so that it is open whether the policy lets them`,
    remedy: `pass --as USER --as-group GROUP; allowed to ask: ${allowed.join(', ')}`,
  }
}

function refusesRequester(decision: GrantDecision): boolean {
  return findingsOf(decision).some(({ check }) => check === 'requester-not-allowed')
}

function findingsOf(decision: GrantDecision): readonly Finding[] {
  return decision.allowed ? [] : decision.findings
}
