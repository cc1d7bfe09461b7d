import { expect } from 'chai'
import { compileCondition, loadConditionEngine } from '../../../src/core/cel/engine.ts'
import { grantScope } from '../../../src/core/cel/scope.ts'
import type { ApprovalFacts } from '../../../src/core/grant/approval.ts'
import type { GrantObservation, GrantPlan } from '../../../src/core/grant/plan.ts'
import { planGrant } from '../../../src/core/grant/plan-grant.ts'
import { requesterNamed } from '../../../src/core/identity.ts'
import type { GrantCondition } from '../../../src/core/policy/policy.ts'
import type { Instant } from '../../../src/core/time.ts'
import { hour, minute, now, policyOf, terms } from '../policy/policy-of.ts'
import { revisionOf, worldOf } from '../policy/world-of.ts'
import { requestOf } from './request-of.ts'

const createdAt = now - hour
const within = 2 * hour
const closes = createdAt + within
const waiting: GrantObservation = {
  state: 'AwaitingApproval',
  createdAt,
  deleting: false,
  recorded: null,
  revocationVerified: false,
  ending: null,
  endedAt: null,
  unreviewed: false,
  tracked: false,
}
const by = [{ kind: 'User', name: 'ana' } as const]

interface Parts {
  readonly at?: Instant
  readonly required?: number
  /** When ana said it. */
  readonly approvedAt?: Instant
  readonly steps?: string
  readonly requester?: string
}

function plan({ at = now, required = 0, approvedAt, steps, requester }: Parts): GrantPlan {
  const conditions = steps === undefined ? [] : [stepUp(steps)]
  const policy = policyOf({ grants: { ...terms, approval: { required, by, within }, conditions } })
  const { digest, version } = policy
  const revisions = [revisionOf(version, { digest, appliedAt: 0 })]
  const asked = requester === undefined ? {} : { requestedBy: requester }
  const who = requester === undefined ? {} : { requester: requesterNamed(requester) }
  const fact: ApprovalFacts = {
    name: 'by-ana',
    grantDigest: digest,
    decision: 'Approve',
    approver: 'ana',
    reason: 'seen',
    createdAt: approvedAt ?? 0,
  }
  const inputs = {
    grant: { ok: true as const, request: requestOf(asked, { createdAt, ...who }) },
    world: worldOf({ policies: [policy], revisions }),
    accepted: { digest, roles: new Map() },
    issueFrom: at,
    approvals: { facts: approvedAt === undefined ? [] : [fact], digestUnder: (text: string) => text },
    until: { kind: 'None' as const },
  }
  return planGrant(waiting, () => inputs, at)
}

function stepUp(expression: string): GrantCondition {
  const compiling = compileCondition(expression, grantScope)
  if (!compiling.ok) throw new Error(compiling.problems.map(({ message }) => message).join())
  return { name: 'calm', condition: compiling.condition, message: null, otherwise: { kind: 'StepUp' } }
}

describe('approvals and time', () => {
  before(loadConditionEngine)

  it('F3: an approval that came too late counts for nothing, also when nobody looked at the time', () => {
    const afterwards = closes + 10 * minute
    expect(plan({ required: 1, approvedAt: closes, at: afterwards })).to.include({
      kind: 'Deny',
      reason: 'NotApproved',
    })
    expect(plan({ required: 1, approvedAt: closes - 1_000, at: afterwards })).to.include({ kind: 'Issue' })
  })

  it('a grant that steps up is looked at again when its condition turns, and issued then', () => {
    const turn = now + 7 * minute + 1
    const steps = `now >= timestamp('${new Date(turn).toISOString()}')`
    expect(plan({ steps })).to.include({ kind: 'Wait', reason: 'AwaitingApproval', at: turn })
    expect(plan({ steps, at: turn - 1 })).to.include({ kind: 'Wait' })
    expect(plan({ steps, at: turn })).to.include({ kind: 'Issue' })
  })

  it('a grant that steps up for ever waits until its time is over', () => {
    expect(plan({ steps: 'false' })).to.include({ kind: 'Wait', at: closes })
  })

  describe('where a condition that steps up looks at the request,', () => {
    const steps = "'system:serviceaccounts:ci' in request.userInfo.groups"
    it('it is judged by what is known of a ServiceAccount', () => {
      expect(plan({ steps })).to.include({ kind: 'Issue' })
      expect(plan({ steps: steps.replace('ci', 'search') })).to.include({ kind: 'Wait', reason: 'AwaitingApproval' })
    })
  })
})
