import type { Finding } from '../finding.ts'
import { describePolicy, type Policy } from '../policy/policy.ts'
import { compareVersions } from '../policy/version.ts'
import { formatInstant, type Instant, type Millis } from '../time.ts'
import type { World } from '../world.ts'
import { approvalCloses, askedOf, countApprovals, type Approvals } from './approval.ts'
import { isForCluster, lackOfRoles } from './cluster-grant.ts'
import { decideGrant, unsettledChecks, type GrantDecision, type GrantRequest } from './decide.ts'
import type { GrantSpec } from './grant.ts'
import { revoke, type GrantInputs, type GrantObservation, type GrantPlan } from './plan.ts'
import { nextTurn } from './turn.ts'
import type { AskedApprovals } from './approval.ts'
import { recordOf, type GrantRecord } from './record.ts'
import { describeRequester } from './requesters.ts'
import { describeUntil } from './until.ts'

/** For so long after its creation a grant is not denied for good: what it rests on may still be on its way to us. */
const settleTime: Millis = 2_000

type Allowed = Extract<GrantDecision, { allowed: true }>

/** Whether a grant can be issued now, and if not, what it waits for. */
export function planIssue(
  observed: GrantObservation,
  request: GrantRequest,
  inputs: GrantInputs,
  now: Instant,
): GrantPlan {
  const { world, accepted, issueFrom } = inputs
  const decision = decideGrant(request, world, now, issueFrom)
  if (!decision.allowed) return refuse(observed, request, decision.findings, world, now)
  if (accepted === null || accepted.digest !== decision.policy.digest)
    return wait(
      closingTime(observed, request),
      'PolicyNotReady',
      `policy ${describePolicy(decision.policy)} is not ready`,
    )
  const approvals = askedApprovals(observed, request, decision, inputs)
  const unapproved = awaitApprovals(observed, request, decision, approvals, inputs, now)
  if (unapproved !== null) return unapproved
  const { notBefore } = request.spec
  if (notBefore !== null && issueFrom < notBefore) {
    const at = observed.recorded === null ? notBefore : Math.min(notBefore, observed.recorded.notAfter)
    return wait(at, 'NotYet', `begins at ${formatInstant(notBefore)}`)
  }
  const lacking = isForCluster(request) ? lackOfRoles(decision.sets, accepted.roles) : null
  if (lacking !== null) return refuseNow(observed, 'Denied', lacking, now)
  const missing = awaitUntil(observed, request, inputs)
  if (missing !== null) return missing
  const untilUid = inputs.until.kind === 'Running' ? inputs.until.uid : null
  const record = recordOf(request, decision, accepted.roles, world, { untilUid, approvals })
  return { kind: 'Issue', record: resumed(record, observed) }
}

/** After a crash between record and objects: the window stays what was recorded, never later. */
function resumed(record: GrantRecord, { recorded }: GrantObservation): GrantRecord {
  if (recorded === null) return record
  const notAfter = Math.min(recorded.notAfter, record.notAfter)
  const reviewBy = record.reviewBy === null ? null : record.reviewBy - (record.notAfter - notAfter)
  return { ...record, issuedAt: recorded.issuedAt, notAfter, reviewBy }
}

function askedApprovals(
  observed: GrantObservation,
  { spec }: GrantRequest,
  { policy, required }: Allowed,
  { approvals, world }: GrantInputs,
): AskedApprovals | null {
  if (required === 0) return null
  const { digest } = policy
  const by = policy.grants?.approval.by ?? []
  const closes = closingOfApprovals(observed, spec, policy)
  const counted = countApprovals(spec, saidBefore(closes, approvals), { by, digest }, world)
  return askedOf(counted, required, approvals.digestUnder(digest))
}

/** What was said too late counts for nothing, also when nobody looked at the time. */
function saidBefore(closes: Instant, { facts, digestUnder }: Approvals): Approvals {
  return { facts: facts.filter(({ createdAt }) => createdAt < closes), digestUnder }
}

function closingOfApprovals({ createdAt }: GrantObservation, spec: GrantSpec, { grants }: Policy): Instant {
  return grants === null ? createdAt : approvalCloses(spec, createdAt, grants.approval)
}

/** null: it has all that it needs. One that is denied, or waits for too long, is over. */
function awaitApprovals(
  observed: GrantObservation,
  request: GrantRequest,
  { policy, reasons }: Allowed,
  asked: AskedApprovals | null,
  { approvals, world }: GrantInputs,
  now: Instant,
): GrantPlan | null {
  const { spec } = request
  const { by = [] } = policy.grants?.approval ?? {}
  const { denial } = countApprovals(spec, approvals, { by, digest: policy.digest }, world)
  if (denial !== null)
    return refuseNow(observed, 'DeniedByApprover', `denied by ${denial.approver}: ${denial.reason}`, now)
  if (asked === null || asked.given.length >= asked.required) return null
  const closes = closingOfApprovals(observed, spec, policy)
  if (now >= closes) return refuseNow(observed, 'NotApproved', `not approved by ${formatInstant(closes)}`, now)
  const why = reasons.map(({ message }) => `: ${message}`).join('')
  const message = `${asked.given.length} of ${asked.required} approvals, by ${by.map(describeRequester).join(', ')}${why}`
  // a condition that asks for it may come to hold by the mere passing of time
  const turn = policy.grants === null ? null : nextTurn(request, policy, policy.grants, world, { now, end: closes })
  return { ...wait(turn ?? closes, 'AwaitingApproval', message), approvals: asked }
}

/** null: the object that it ends with is there, or only time ends it. */
function awaitUntil(
  observed: GrantObservation,
  request: GrantRequest,
  { until: facts }: GrantInputs,
): GrantPlan | null {
  const { until } = request.spec
  if (until === null) return null
  const closes = closingTime(observed, request)
  switch (facts.kind) {
    case 'None':
    case 'Running':
      return null
    case 'Absent':
      return wait(closes, 'UntilMissing', `there is no ${describeUntil(until)} yet, with which it is to end`)
    case 'Unread':
      return wait(closes, 'UntilUnknown', `${describeUntil(until)}, with which it is to end: it is not read yet`)
    case 'Unknown':
      return wait(closes, 'UntilUnknown', `${describeUntil(until)}, with which it is to end: ${facts.message}`)
    case 'Ended':
      return { kind: 'Deny', reason: 'Denied', message: `${describeUntil(until)} ${facts.message} already` }
  }
}

/** A grant that may already have objects is not denied but ended: what was created must be removed and proved gone. */
function refuse(
  observed: GrantObservation,
  request: GrantRequest,
  findings: readonly Finding[],
  world: World,
  now: Instant,
): GrantPlan {
  const message = findings.map((finding) => `[${finding.check}] ${finding.message}`).join('; ')
  if (observed.recorded !== null) return revoke(now, message)
  const closesAt = closingTime(observed, request)
  const mayYetPass =
    findings.every((finding) => unsettledChecks.has(finding.check)) || awaitsNewerPolicy(request, world)
  if (mayYetPass && (closesAt === null || now < closesAt)) return wait(closesAt, 'Waiting', message)
  const settled = observed.createdAt + settleTime
  if (now < settled) return wait(settled, 'Settling', message)
  return { kind: 'Deny', reason: 'Denied', message }
}

function refuseNow(observed: GrantObservation, reason: string, message: string, now: Instant): GrantPlan {
  return observed.recorded === null ? { kind: 'Deny', reason, message } : revoke(now, message)
}

function wait(at: Instant | null, reason: string, message: string): Extract<GrantPlan, { kind: 'Wait' }> {
  return { kind: 'Wait', at, reason, message, approvals: null }
}

/** When waiting is over: what is on record ends, or the window that was asked for passes. null: it stays open. */
function closingTime(observed: GrantObservation, request: GrantRequest): Instant | null {
  const { end } = request.spec
  return observed.recorded?.notAfter ?? (end.kind === 'At' ? end.notAfter : null)
}

/** The grant names a version that is newer than the one that has reached us. */
function awaitsNewerPolicy(request: GrantRequest, world: World): boolean {
  const { name, version } = request.spec.policy
  const policy = world.policy(name)
  return policy !== null && version !== null && compareVersions(version, policy.version) > 0
}
