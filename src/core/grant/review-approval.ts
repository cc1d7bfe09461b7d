import { highFinding, type Finding } from '../finding.ts'
import type { Requester } from '../identity.ts'
import { describePolicy, type Policy, type WhoRule } from '../policy/policy.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { StoredGrant, World } from '../world.ts'
import { approvalCloses, whyNotApprover, type ApprovalFacts } from './approval.ts'
import { isTerminal } from './grant.ts'

/** What somebody is about to say of a grant. */
export interface ApprovalRequest {
  /** Of a grant that is not namespaced the namespace is empty. */
  readonly grant: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly grantDigest: string
  readonly decision: ApprovalFacts['decision']
  /** With all groups, as the API server authenticated him. */
  readonly approver: Requester
}

/**
 * What stands against saying it, now: another grant, another time, something else that was looked at, or somebody who may not. What is
 * let pass is counted by `countApprovals`, which asks most of this again.
 */
export function reviewApproval(asked: ApprovalRequest, world: World, now: Instant): readonly Finding[] {
  const grant = world.grant(asked.grant.namespace, asked.grant.name)
  if (grant === null || grant.uid !== asked.grant.uid) return [missingGrant(asked.grant, grant)]
  const policy = world.policy(grant.spec.policy.name)
  return [
    ...reviewMoment(asked, grant, policy, now),
    ...reviewDigest(asked, grant, policy),
    ...reviewApprover(asked, grant, policy, world),
  ]
}

function missingGrant({ namespace, name, uid }: ApprovalRequest['grant'], found: StoredGrant | null): Finding {
  const place = namespace === '' ? name : `${namespace}/${name}`
  const message = found === null ? `there is no grant ${place}` : `grant ${place} is another one, with UID ${found.uid}`
  return highFinding(
    'approval-grant-missing',
    'spec.grant',
    `${message}, not ${uid}`,
    'look at the grant that is there',
  )
}

function reviewMoment(
  { decision }: ApprovalRequest,
  grant: StoredGrant,
  policy: Policy | null,
  now: Instant,
): readonly Finding[] {
  if (decision === 'Review') return reviewEnd(grant)
  if (isTerminal(grant.state) || grant.ending)
    return outOfTime(`the grant is over, or about to be: ${grant.state}`, 'nothing can be said of it any more')
  const terms = policy?.grants ?? null
  const closes = terms === null ? Infinity : approvalCloses(grant.spec, grant.createdAt, terms.approval)
  if (decision === 'Deny' || grant.state === 'Active' || now < closes) return []
  return outOfTime(`approvals were due by ${formatInstant(closes)}`, 'create the grant again')
}

function reviewEnd({ unreviewed, state }: StoredGrant): readonly Finding[] {
  if (unreviewed && isTerminal(state)) return []
  const what = unreviewed ? 'has not ended yet' : 'is no break-glass grant that is to be reviewed'
  return outOfTime(`the grant ${what}`, 'review one that lapse grants --unreviewed lists, once it is over')
}

function outOfTime(message: string, remedy: string): readonly Finding[] {
  return [highFinding('approval-out-of-time', 'spec.decision', message, remedy)]
}

function reviewDigest(asked: ApprovalRequest, grant: StoredGrant, policy: Policy | null): readonly Finding[] {
  const looked = asked.decision === 'Review' ? (grant.policyDigest ?? policy?.digest) : policy?.digest
  if (looked === undefined || grant.digestUnder(looked) === asked.grantDigest) return []
  const message = `is not the digest of what the grant asks for under ${policy === null ? 'its policy' : describePolicy(policy)}`
  return [
    highFinding('approval-outdated', 'spec.grantDigest', message, 'look at the grant again: lapse approve does so'),
  ]
}

function reviewApprover(
  { decision, approver }: ApprovalRequest,
  { spec }: StoredGrant,
  policy: Policy | null,
  world: World,
): readonly Finding[] {
  const terms = policy?.grants ?? null
  const by: readonly WhoRule[] =
    (decision === 'Review' ? terms?.breakGlass?.reviewers : terms?.approval.by) ?? ([] as const)
  const why = whyNotApprover(spec, approver, by, world, false)
  if (why === null) return []
  const what = { Approve: 'approve', Deny: 'deny', Review: 'review' }[decision]
  const whose =
    policy === null ? `policy ${spec.policy.name}, which does not exist,` : `policy ${describePolicy(policy)}`
  const message = `${whose} does not let ${approver.username} ${what} the grant: ${why}`
  return [highFinding('approver-not-allowed', 'spec.approver', message, 'let somebody else say it')]
}
