import type { ParsedGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import type { Finding } from '../core/finding.ts'
import { decideGrant, type GrantDecision } from '../core/grant/decide.ts'
import { requesterNamed, usernameOf, type Requester } from '../core/identity.ts'
import type { Enforcement, Policy, RequesterRule } from '../core/policy/policy.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import type { Instant } from '../core/time.ts'
import { reviewWorkload, type Verdict } from '../core/workload/review.ts'
import type { Workload } from '../core/workload/workload.ts'
import type { World } from '../core/world.ts'
import type { JudgedFinding } from './check-finding.ts'
import { unknownRoles } from './check-unknown-roles.ts'

/** What can be judged; everything else among the files is only the world. */
export type Judged =
  | { readonly kind: 'Workload'; readonly workload: Workload; readonly namespace: string }
  | { readonly kind: 'Policy'; readonly policy: Policy }
  | { readonly kind: 'Grant'; readonly grant: ParsedGrant; readonly uid: string | null }

export interface Judgement {
  readonly verdict: Verdict
  readonly findings: readonly JudgedFinding[]
}

/**
 * The verdict of the admission webhook, from the functions that it uses itself, and a warning wherever the files alone
 * cannot tell. `requester` null: whoever the grant says.
 */
export async function judge(
  judged: Judged,
  requester: Requester | null,
  world: World,
  now: Instant,
): Promise<Judgement> {
  switch (judged.kind) {
    case 'Workload':
      return judgeWorkload(judged.workload, judged.namespace, world, now)
    case 'Policy':
      return judgePolicy(judged.policy, world, now)
    case 'Grant':
      return judgeGrant(judged.grant, judged.uid, requester, world, now)
  }
}

/** What compares versions is loaded only when there is a policy to judge: it costs the start of every other check 5 ms. */
async function judgePolicy(policy: Policy, world: World, now: Instant): Promise<Judgement> {
  const { reviewPolicyChange } = await import('../core/policy/accept.ts')
  const findings = reviewPolicyChange(null, policy, world, now)
  return judgementOf(findings.map((finding) => ({ ...finding, enforcement: 'Deny', policy })))
}

function judgeWorkload(workload: Workload, namespace: string, world: World, now: Instant): Judgement {
  const { verdict, findings } = reviewWorkload(workload, namespace, world, now)
  if (verdict === 'Ungoverned') return { verdict, findings }
  const unknown = unknownRoles(workload, namespace, world)
  return unknown.length === 0 ? { verdict, findings } : judgementOf([...findings, ...unknown])
}

function judgeGrant(
  grant: ParsedGrant,
  uid: string | null,
  requester: Requester | null,
  world: World,
  now: Instant,
): Judgement {
  const policy = world.policy(grant.spec.policy.name)
  const under =
    (enforcement: Enforcement) =>
    (finding: Finding): JudgedFinding => ({ ...finding, enforcement, policy })
  const decide = (who: Requester | null): GrantDecision =>
    decideGrant({ ...grant, uid, requester: who, createdAt: null }, world, now)
  const known = decide(requester ?? namedWithoutGroups(grant))
  if (requester !== null || !refusesRequester(known)) return judgementOf(findingsOf(known).map(under('Deny')))
  const assumed = decide(assumedRequester(grant, policy))
  const doubt = refusesRequester(assumed) ? [] : [under('Warn')(requesterUnknown(grant, policy))]
  return judgementOf([...findingsOf(assumed).map(under('Deny')), ...doubt])
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

const byStrictness: readonly Enforcement[] = ['Deny', 'Warn', 'Audit']

function judgementOf(findings: readonly JudgedFinding[]): Judgement {
  const strictest = byStrictness.find((enforcement) => findings.some((finding) => finding.enforcement === enforcement))
  return { verdict: strictest ?? 'Allow', findings }
}
