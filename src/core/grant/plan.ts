import type { Finding } from '../finding.ts'
import { describePolicy } from '../policy/policy.ts'
import { compareVersions } from '../policy/version.ts'
import type { Problem } from '../problem.ts'
import { formatInstant, type Instant, type Millis } from '../time.ts'
import type { World } from '../world.ts'
import { decideGrant, unsettledChecks, type GrantRequest } from './decide.ts'
import { isTerminal, type GrantState } from './grant.ts'
import { lostGround } from './ground.ts'
import { recordOf, type GrantRecord, type SetRoles } from './record.ts'

/** What the grant's own status says. Nothing else may stand in front of an end. */
export interface GrantObservation {
  readonly state: GrantState
  readonly createdAt: Instant
  readonly deleting: boolean
  /** What was persisted before objects were created; null: nothing was, so none can exist. */
  readonly recorded: {
    readonly issuedAt: Instant
    readonly notAfter: Instant
    readonly policyDigest: string
    readonly subjectUid: string | null
  } | null
  /** Whether a proof is on record that the access is gone. */
  readonly revocationVerified: boolean
}

/** Everything else that a plan looks at, read only once it is known that the grant has not ended. */
export interface GrantInputs {
  readonly grant:
    | { readonly ok: true; readonly request: GrantRequest }
    | { readonly ok: false; readonly problems: readonly Problem[] }
  readonly world: World
  /** Roles of the accepted version that is active; null: the operator has not accepted one, or cannot serve it. */
  readonly accepted: { readonly digest: string; readonly roles: SetRoles } | null
}

export type GrantPlan =
  /** Ended, and proved to be. */
  | { readonly kind: 'Rest' }
  /** Nothing can be issued yet; at null: until something it depends on changes. */
  | { readonly kind: 'Wait'; readonly at: Instant | null; readonly reason: string; readonly message: string }
  | { readonly kind: 'Deny'; readonly reason: string; readonly message: string }
  /** Persist the record, look at the clock again, then create its objects. */
  | { readonly kind: 'Issue'; readonly record: GrantRecord }
  | { readonly kind: 'Keep'; readonly lookAgainAt: Instant }
  /** Remove the objects, prove it, and say that it ended at `at`. */
  | { readonly kind: 'End'; readonly state: 'Expired' | 'Revoked'; readonly at: Instant; readonly message: string }
  /** It has ended, but the proof is missing: remove and prove again. */
  | { readonly kind: 'Prove' }

/** For so long after its creation a grant is not denied for good: what it rests on may still be on its way to us. */
const settleTime: Millis = 2_000

/**
 * What must happen next to a grant. The end comes first and looks at nothing but the grant's own status: inputs are
 * read only for a grant that goes on.
 */
export function planGrant(observed: GrantObservation, inputs: () => GrantInputs, now: Instant): GrantPlan {
  if (isTerminal(observed.state)) return observed.revocationVerified ? { kind: 'Rest' } : { kind: 'Prove' }
  const { recorded } = observed
  if (recorded !== null && now >= recorded.notAfter)
    return {
      kind: 'End',
      state: 'Expired',
      at: recorded.notAfter,
      message: `ended at ${formatInstant(recorded.notAfter)}, as issued`,
    }
  if (observed.deleting) return revoke(now, 'the grant is being deleted')
  if (recorded === null && observed.state === 'Active')
    return revoke(now, 'its status does not say until when it lasts')
  return planLiving(observed, inputs(), now)
}

function planLiving(observed: GrantObservation, inputs: GrantInputs, now: Instant): GrantPlan {
  if (!inputs.grant.ok) return unreadable(observed, inputs.grant.problems, now)
  const { request } = inputs.grant
  if (request.spec.revoke !== null) return revoke(now, `revoked: ${request.spec.revoke.reason}`)
  if (observed.recorded !== null) {
    const { namespace, spec } = request
    const ground = { ...observed.recorded, namespace, policy: spec.policy.name, subject: spec.subject }
    const lost = lostGround(ground, inputs.world)
    if (lost !== null) return revoke(now, lost)
    if (observed.state === 'Active') return { kind: 'Keep', lookAgainAt: observed.recorded.notAfter }
  }
  return planIssue(observed, request, inputs, now)
}

function planIssue(observed: GrantObservation, request: GrantRequest, inputs: GrantInputs, now: Instant): GrantPlan {
  const { world, accepted } = inputs
  const { recorded } = observed
  const decision = decideGrant(request, world, now)
  if (!decision.allowed) return refuse(observed, request, decision.findings, world, now)
  if (request.spec.notBefore !== null && now < request.spec.notBefore)
    return {
      kind: 'Wait',
      at: recorded === null ? request.spec.notBefore : Math.min(request.spec.notBefore, recorded.notAfter),
      reason: 'NotYet',
      message: `begins at ${formatInstant(request.spec.notBefore)}`,
    }
  if (accepted === null || accepted.digest !== decision.policy.digest)
    return {
      kind: 'Wait',
      at: closingTime(observed, request),
      reason: 'PolicyNotReady',
      message: `policy ${describePolicy(decision.policy)} is not ready`,
    }
  const record = recordOf(request, decision, accepted.roles, world, now)
  return { kind: 'Issue', record: recorded === null ? record : resumed(record, recorded) }
}

/** After a crash between record and objects: the window stays what was recorded, never later. */
function resumed(record: GrantRecord, recorded: NonNullable<GrantObservation['recorded']>): GrantRecord {
  return { ...record, issuedAt: recorded.issuedAt, notAfter: Math.min(recorded.notAfter, record.notAfter) }
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
  if (mayYetPass && (closesAt === null || now < closesAt))
    return { kind: 'Wait', at: closesAt, reason: 'Waiting', message }
  const settled = observed.createdAt + settleTime
  if (now < settled) return { kind: 'Wait', at: settled, reason: 'Settling', message }
  return { kind: 'Deny', reason: 'Denied', message }
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

function unreadable(observed: GrantObservation, problems: readonly Problem[], now: Instant): GrantPlan {
  const message = problems.map((problem) => `${problem.path}: ${problem.message}`).join('; ')
  return observed.recorded === null ? { kind: 'Deny', reason: 'Denied', message } : revoke(now, message)
}

function revoke(now: Instant, message: string): GrantPlan {
  return { kind: 'End', state: 'Revoked', at: now, message }
}
