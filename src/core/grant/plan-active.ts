import { covers } from '../rbac/covers.ts'
import { formatInstant, type Instant } from '../time.ts'
import { approvalsNeeded, askedOf, countApprovals } from './approval.ts'
import { reviewGrantConditions, type ConditionVerdict } from './conditions.ts'
import { whyNotItsIdentity } from './credential.ts'
import type { GrantRequest } from './decide.ts'
import { lostGround } from './ground.ts'
import { resolvePermissions } from './permissions.ts'
import { revoke, type GrantInputs, type GrantPlan, type RecordedGrant } from './plan.ts'
import { nextTurn } from './turn.ts'
import { whyCompleted } from './until.ts'

/**
 * What becomes of a grant whose window is on record, and open. What it stands on, what it ends with and what its policy asks are looked
 * at again: it is kept, or there is less of it.
 */
export function planActive(
  recorded: RecordedGrant,
  request: GrantRequest,
  inputs: GrantInputs,
  now: Instant,
): Extract<GrantPlan, { kind: 'End' | 'Shorten' | 'Approved' | 'Keep' }> {
  const { world } = inputs
  const { namespace, spec } = request
  const lost = lostGround({ ...recorded, namespace, policy: spec.policy.name, subject: spec.subject }, world)
  if (lost !== null) return revoke(now, lost)
  const taken = whyNotItsIdentity(request, recorded.accountUid, world)
  if (taken !== null) return revoke(now, taken)
  const completed = whyCompleted(spec.until, inputs.until, recorded.untilUid)
  if (completed !== null) return { kind: 'End', state: 'Completed', at: now, message: completed }
  return underConditions(recorded, request, inputs, now)
}

function underConditions(
  recorded: RecordedGrant,
  request: GrantRequest,
  inputs: GrantInputs,
  now: Instant,
): Extract<GrantPlan, { kind: 'End' | 'Shorten' | 'Approved' | 'Keep' }> {
  const { world } = inputs
  const { spec } = request
  const policy = world.policy(spec.policy.name)
  const terms = policy?.grants ?? null
  if (policy === null || terms === null) return revoke(now, `policy ${spec.policy.name} issues no grants any more`)
  const counted = countApprovals(spec, inputs.approvals, { by: terms.approval.by, digest: policy.digest }, world)
  const { denial } = counted
  if (denial !== null) return revoke(now, `denied by ${denial.approver}: ${denial.reason}`)
  const verdict = reviewGrantConditions(request, policy, terms, world, now, 'under this version')
  const [refusal] = verdict.findings
  if (refusal !== undefined) return revoke(now, `its conditions hold no longer: ${refusal.message}`)
  const { required } = approvalsNeeded(terms, spec, verdict.stepsUp, policy)
  if (recorded.approvals < required) {
    const asked = askedOf(counted, required, inputs.approvals.digestUnder(policy.digest))
    if (asked.given.length >= required) return { kind: 'Approved', approvals: asked }
    return revoke(now, `an approval is needed now: ${reasonsOf(verdict)}`)
  }
  const left = resolvePermissions(spec, policy, world, verdict.permissions)
  if (verdict.permissions !== null && !covers(left.rules, recorded.rules).covered)
    return revoke(now, `less may be granted now: ${reasonsOf(verdict)}`)
  const limit = verdict.maxDuration === null ? recorded.notAfter : recorded.issuedAt + verdict.maxDuration
  if (now >= limit) return revoke(now, `it may not last so long now: ${reasonsOf(verdict)}`)
  if (limit < recorded.notAfter)
    return { kind: 'Shorten', notAfter: limit, message: `until ${formatInstant(limit)} now: ${reasonsOf(verdict)}` }
  const turn = nextTurn(request, policy, terms, world, { now, end: recorded.notAfter })
  return { kind: 'Keep', lookAgainAt: turn ?? recorded.notAfter, until: inputs.until }
}

function reasonsOf({ reasons }: ConditionVerdict): string {
  return reasons.map(({ message }) => message).join('; ')
}
