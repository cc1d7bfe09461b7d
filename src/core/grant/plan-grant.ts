import type { Problem } from '../problem.ts'
import { formatInstant, type Instant } from '../time.ts'
import { reviewerOf } from './break-glass.ts'
import { isTerminal } from './grant.ts'
import { revoke, type GrantInputs, type GrantObservation, type GrantPlan } from './plan.ts'
import { planActive } from './plan-active.ts'
import { planIssue } from './plan-issue.ts'

/**
 * What must happen next to a grant. The end comes first and looks at nothing but the grant's own status: inputs are
 * read only for a grant that goes on, or has nothing left to lose.
 */
export function planGrant(observed: GrantObservation, inputs: () => GrantInputs, now: Instant): GrantPlan {
  if (isTerminal(observed.state)) return observed.revocationVerified ? planEnded(observed, inputs) : { kind: 'Prove' }
  const { recorded, ending } = observed
  if (ending !== null) return { kind: 'End', ...ending }
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
    const plan = planActive(observed.recorded, request, inputs, now)
    if (plan.kind !== 'Keep' || observed.state === 'Active') return plan
  }
  return planIssue(observed, request, inputs, now)
}

function unreadable(observed: GrantObservation, problems: readonly Problem[], now: Instant): GrantPlan {
  const message = problems.map((problem) => `${problem.path}: ${problem.message}`).join('; ')
  return observed.recorded === null ? { kind: 'Deny', reason: 'Denied', message } : revoke(now, message)
}

/** An ended grant is its own record: it is reviewed if it was an emergency, and kept for as long as its policy says, by every clock. */
function planEnded(observed: GrantObservation, inputs: () => GrantInputs): GrantPlan {
  if (observed.deleting) return { kind: 'Rest', lookAgainAt: null }
  const { grant, world, approvals, issueFrom } = inputs()
  if (!grant.ok) return { kind: 'Rest', lookAgainAt: null }
  const policy = world.policy(grant.request.spec.policy.name)
  if (observed.unreviewed) {
    const by = reviewerOf(grant.request.spec, approvals, policy, world)
    return by === null ? { kind: 'Rest', lookAgainAt: null } : { kind: 'Reviewed', by }
  }
  const retention = policy?.grants?.retention ?? null
  if (retention === null || observed.endedAt === null || observed.tracked) return { kind: 'Rest', lookAgainAt: null }
  const goes = observed.endedAt + retention
  return issueFrom >= goes ? { kind: 'Discard' } : { kind: 'Rest', lookAgainAt: goes }
}
