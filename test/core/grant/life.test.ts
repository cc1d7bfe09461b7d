import { expect } from 'chai'
import { compileCondition, loadConditionEngine } from '../../../src/core/cel/engine.ts'
import { grantScope } from '../../../src/core/cel/scope.ts'
import type { ApprovalFacts, Approvals } from '../../../src/core/grant/approval.ts'
import type { GrantSpec } from '../../../src/core/grant/grant.ts'
import { decideGrant } from '../../../src/core/grant/decide.ts'
import { planGrant } from '../../../src/core/grant/plan-grant.ts'
import type { GrantObservation, GrantPlan, RecordedGrant } from '../../../src/core/grant/plan.ts'
import type { UntilFacts } from '../../../src/core/grant/until.ts'
import type { GrantCondition, GrantTerms } from '../../../src/core/policy/policy.ts'
import type { Instant } from '../../../src/core/time.ts'
import { day, hour, minute, now, policyOf, terms } from '../policy/policy-of.ts'
import { worldOf, type WorldParts } from '../policy/world-of.ts'
import { rule } from '../rbac/rbac-of.ts'
import { deployer, requestOf, noApprovals } from './request-of.ts'

const digest = policyOf().digest
const issuedAt = now - 10 * minute
const recorded: RecordedGrant = {
  issuedAt,
  notAfter: now + 20 * minute,
  policyDigest: digest,
  subjectUid: 'uid-1',
  rules: [rule('get,list,watch,patch deployments.apps')],
  approvals: 0,
  untilUid: null,
}
const pending: GrantObservation = {
  state: 'Pending',
  createdAt: now - minute,
  deleting: false,
  recorded: null,
  revocationVerified: false,
  ending: null,
  endedAt: null,
  unreviewed: false,
  tracked: false,
}
const active: GrantObservation = { ...pending, state: 'Active', recorded }
const ended: GrantObservation = { ...active, state: 'Expired', revocationVerified: true, endedAt: now - hour }

interface Parts {
  readonly observed?: GrantObservation
  readonly terms?: Partial<GrantTerms>
  readonly spec?: Partial<GrantSpec>
  readonly world?: WorldParts
  readonly approvals?: Approvals
  readonly until?: UntilFacts
  readonly at?: Instant
  /** The earliest that it may be, where clocks differ. Default: the same. */
  readonly issueFrom?: Instant
}

function plan({ observed = pending, spec, world, approvals = noApprovals, at = now, ...parts }: Parts): GrantPlan {
  const policy = policyOf({ grants: { ...terms, ...parts.terms } })
  const inputs = {
    grant: { ok: true as const, request: requestOf(spec, { createdAt: observed.createdAt }) },
    world: worldOf({ policies: [policy], ...world }),
    accepted: { digest, roles: new Map() },
    issueFrom: parts.issueFrom ?? at,
    approvals,
    until: parts.until ?? { kind: 'None' },
  }
  return planGrant(observed, () => inputs, at)
}

/** Such as `Wait AwaitingApproval: 0 of 1 approvals, by User ana`. */
function gist(found: GrantPlan): string {
  switch (found.kind) {
    case 'Wait':
    case 'Deny':
      return `${found.kind} ${found.reason}: ${found.message}`
    case 'End':
      return `${found.state}: ${found.message}`
    case 'Shorten':
      return `Shorten by ${(recorded.notAfter - found.notAfter) / minute}m: ${found.message}`
    case 'Issue':
      return `Issue for ${(found.record.notAfter - found.record.issuedAt) / minute}m`
    case 'Approved':
      return `Approved by ${found.approvals.given.map(({ approver }) => approver).join(', ')}`
    case 'Reviewed':
      return `Reviewed by ${found.by}`
    case 'Rest':
    case 'Discard':
    case 'Keep':
    case 'Prove':
      return found.kind
  }
}

const told = (parts: Parts): string => gist(plan(parts))

function condition(expression: string, otherwise: GrantCondition['otherwise'], name = 'c'): GrantCondition {
  const compiling = compileCondition(expression, grantScope)
  if (!compiling.ok) throw new Error(compiling.problems.map(({ message }) => message).join())
  return { name, condition: compiling.condition, message: null, otherwise }
}

const approval = { required: 1, by: [{ kind: 'User', name: 'ana' } as const], within: 4 * hour }
const said = (...decisions: readonly (readonly [who: string, decision: ApprovalFacts['decision']])[]): Approvals => ({
  facts: decisions.map(([approver, decision]) => ({
    name: `by-${approver}`,
    grantDigest: digest,
    decision,
    approver,
    reason: 'seen',
    createdAt: now,
  })),
  digestUnder: (policy) => policy,
})

const never = (otherwise: GrantCondition['otherwise']) => ({ conditions: [condition('false', otherwise)] })
const stepUp = () => ({ ...never({ kind: 'StepUp' }), approval: { ...approval, required: 0 } })
const within = (maxDuration: number) => never({ kind: 'Constrain', maxDuration, permissions: null })
const only = (name: string) => never({ kind: 'Constrain', maxDuration: null, permissions: [name] })
const kept = (retention: number | null, observed = ended) => plan({ terms: { retention }, observed })

/** When a grant is looked at again that lives under such a condition. */
function lookAgain(expression: string, observed = active): string {
  const found = plan({ terms: { conditions: [condition(expression, { kind: 'Deny' })] }, observed })
  return found.kind === 'Keep' ? new Date(found.lookAgainAt).toISOString() : gist(found)
}

const breakGlass = {
  requesters: [{ kind: 'Self' } as const],
  maxDuration: 10 * minute,
  reviewWithin: day,
  reviewers: [{ kind: 'User', name: 'ana' } as const],
}
const emergency = { breakGlass: { incident: 'INC-77' }, end: { kind: 'Default' } } as const
const settled = { ...pending, createdAt: now - hour }
const earlier = {
  namespace: 'payments',
  name: 'earlier',
  policy: 'payments-deploy',
  subject: deployer,
  ended: true,
  dueBy: now + day,
}
const blocked = (fields: object) =>
  told({
    spec: emergency,
    terms: { breakGlass },
    observed: settled,
    world: { unreviewed: [{ ...earlier, ...fields }] },
  })
const reviewed = (who: string): string =>
  told({
    spec: emergency,
    terms: { breakGlass },
    observed: { ...ended, unreviewed: true },
    approvals: said([who, 'Review']),
  })

describe('a grant that needs approval', () => {
  before(loadConditionEngine)

  it('waits for it, says what is missing, and is issued once it has it', () => {
    const waiting = plan({ terms: { approval } })
    expect(gist(waiting)).to.equal('Wait AwaitingApproval: 0 of 1 approvals, by User ana')
    expect(waiting).to.deep.include({
      at: pending.createdAt + 4 * hour,
      approvals: { required: 1, digest: '', given: [] },
    })
    const issue = plan({ terms: { approval }, approvals: said(['ana', 'Approve']) })
    expect(issue.kind === 'Issue' && issue.record.approvals).to.deep.equal({
      required: 1,
      digest,
      given: [{ name: 'by-ana', approver: 'ana' }],
    })
  })

  it('needs as many as the policy says', () => {
    const by = [...approval.by, { kind: 'User', name: 'cem' } as const]
    const two = { approval: { ...approval, required: 2, by } }
    expect(told({ terms: two, approvals: said(['ana', 'Approve']) })).to.contain('1 of 2 approvals')
    expect(told({ terms: two, approvals: said(['ana', 'Approve'], ['cem', 'Approve']) })).to.equal('Issue for 30m')
  })

  it('is denied when an approver says so, also after somebody has approved it', () => {
    const one = { terms: { approval }, approvals: said(['cem', 'Approve'], ['ana', 'Deny']) }
    expect(told(one)).to.equal('Deny DeniedByApprover: denied by ana: seen')
    expect(told({ ...one, observed: active })).to.equal('Revoked: denied by ana: seen')
  })

  it('is denied when nobody has approved it in time, and F3: when its window has passed by then', () => {
    const late = { ...pending, createdAt: now - 4 * hour }
    expect(told({ terms: { approval }, observed: late })).to.match(/^Deny NotApproved: not approved by 2027-01-15T12/)
    const spec = { end: { kind: 'At', notAfter: now } } as const
    expect(told({ terms: { approval }, spec, approvals: said(['ana', 'Approve']) })).to.contain('[window-passed]')
  })

  it('asks for an approval that nobody may give in vain', () => {
    const nobody = { ...approval, by: [] }
    expect(told({ terms: { approval: nobody }, observed: { ...pending, createdAt: now - hour } })).to.contain(
      'Deny Denied: [approval-impossible]',
    )
  })
})

describe('the conditions of a policy', () => {
  before(loadConditionEngine)

  it('ask for an approval where one says StepUp', () => {
    expect(told({ terms: stepUp() })).to.equal(
      'Wait AwaitingApproval: 0 of 1 approvals, by User ana: condition c does not hold',
    )
    const issue = plan({ terms: stepUp(), approvals: said(['ana', 'Approve']) })
    expect(issue.kind === 'Issue' && issue.record.decision).to.deep.equal({
      outcome: 'StepUp',
      reasons: [{ condition: 'c', message: 'condition c does not hold' }],
    })
  })

  it('revoke a grant that lives and would need an approval now, but none that has it', () => {
    expect(told({ terms: stepUp(), observed: active })).to.equal(
      'Revoked: an approval is needed now: condition c does not hold',
    )
    expect(told({ terms: stepUp(), observed: { ...active, recorded: { ...recorded, approvals: 1 } } })).to.equal('Keep')
    expect(told({ terms: stepUp(), observed: active, approvals: said(['ana', 'Approve']) })).to.equal('Approved by ana')
  })

  it('give less where one says Constrain', () => {
    const shorter = never({ kind: 'Constrain', maxDuration: 10 * minute, permissions: null })
    expect(told({ terms: shorter })).to.equal('Issue for 10m')
    const fewer = never({ kind: 'Constrain', maxDuration: null, permissions: ['rollout'] })
    const issue = plan({ terms: fewer, spec: { permissions: ['one-secret', 'rollout'] } })
    expect(issue.kind === 'Issue' && issue.record.rules).to.deep.equal([rule('get,list,watch,patch deployments.apps')])
    expect(told({ terms: fewer, observed: settled, spec: { permissions: ['one-secret'] } })).to.contain(
      '[permission-constrained] conditions of payments-deploy@1.4.0 let only this be granted now: rollout',
    )
  })

  it('give the least of what several leave', () => {
    const both = {
      conditions: [
        condition(
          'false',
          { kind: 'Constrain', maxDuration: 10 * minute, permissions: ['rollout', 'one-secret'] },
          'a',
        ),
        condition('false', { kind: 'Constrain', maxDuration: 5 * minute, permissions: ['rollout'] }, 'b'),
      ],
    }
    const issue = plan({ terms: both, spec: { permissions: ['one-secret', 'rollout'] } })
    expect(gist(issue)).to.equal('Issue for 5m')
    expect(issue.kind === 'Issue' && issue.record.rules).to.have.length(1)
  })

  it('shorten a grant that lives, or end it', () => {
    expect(told({ terms: within(20 * minute), observed: active })).to.equal(
      'Shorten by 10m: until 2027-01-15T12:10:00.000Z now: condition c does not hold',
    )
    expect(told({ terms: within(hour), observed: active })).to.equal('Keep')
    expect(told({ terms: within(10 * minute), observed: active })).to.contain('Revoked: it may not last so long now')
    expect(told({ terms: only('rollout'), observed: active })).to.equal('Keep')
    expect(told({ terms: only('one-secret'), observed: active })).to.contain('Revoked: less may be granted now')
  })

  it('revoke a grant that lives where one says Deny, and where one cannot be judged', () => {
    expect(told({ terms: never({ kind: 'Deny' }), observed: active })).to.equal(
      'Revoked: its conditions hold no longer: condition c does not hold',
    )
    const unknown = { conditions: [condition('namespaceObject.metadata.labels.ghost == "x"', { kind: 'Deny' })] }
    expect(told({ terms: unknown, observed: active })).to.contain('Revoked: its conditions hold no longer')
  })

  describe('that depend on time are asked again when they turn, and not before:', () => {
    const table: readonly (readonly [sentence: string, expression: string, at: string])[] = [
      ['at an instant', 'now < timestamp("2027-01-15T12:07:30.250Z")', '2027-01-15T12:07:30.250Z'],
      ['a millisecond after one that is included', 'now <= timestamp("2027-01-15T12:07:30Z")', '2027-01-15T12:07:30.001Z'],
      ['at a wall clock elsewhere', 'now.getMinutes("Asia/Kathmandu") != 50', '2027-01-15T12:05:00.000Z'],
      ['at the end, if they do not turn before', 'now.getHours() < 18', '2027-01-15T12:20:00.000Z'],
      ['at the end, if they never do', 'now > timestamp(0)', '2027-01-15T12:20:00.000Z'],
      [
        'at the end, if they turn and turn back between two whole minutes',
        'now < timestamp("2027-01-15T12:07:10Z") || now > timestamp("2027-01-15T12:07:50Z")',
        '2027-01-15T12:20:00.000Z',
      ],
      ['at the end, if they do not look at the time', 'true', '2027-01-15T12:20:00.000Z'],
    ] // prettier-ignore
    for (const [sentence, expression, at] of table) it(sentence, () => expect(lookAgain(expression)).to.equal(at))

    it('after two hours, if they turn later than that', () => {
      const long = { ...active, recorded: { ...recorded, notAfter: now + day } }
      expect(lookAgain('now < timestamp("2027-01-15T16:00:00Z")', long)).to.equal('2027-01-15T14:00:00.000Z')
    })

    it('once for all grants of a policy, where they look at nothing but the time', () => {
      let asked = 0
      const counted = condition('now.getHours() < 18', { kind: 'Deny' })
      const evaluate: typeof counted.condition.evaluate = (...given) => {
        asked += 1
        return counted.condition.evaluate(...given)
      }
      const policy = policyOf({
        grants: { ...terms, conditions: [{ ...counted, condition: { ...counted.condition, evaluate } }] },
      })
      const world = { policies: [policy] }
      for (let grants = 0; grants < 100; grants++) expect(told({ observed: active, world })).to.equal('Keep')
      expect(asked).to.be.below(100 + 150)
    })

    it('soon, where it would cost too much to look far ahead', () => {
      const costly = 'range.all(a, range.all(b, now > timestamp(0)))'.replaceAll(
        'range',
        `[${Array.from({ length: 60 }, (_, each) => each).join()}]`,
      )
      const long = { ...active, recorded: { ...recorded, notAfter: now + day } }
      const at = Date.parse(lookAgain(costly, long))
      expect(at).to.be.above(now)
      expect(at).to.be.below(now + 2 * hour)
    })

    it('and have turned then', () => {
      const turning = {
        conditions: [condition('now < timestamp("2027-01-15T12:07:30.250Z")', { kind: 'Deny' } as const)],
      }
      const turn = Date.parse('2027-01-15T12:07:30.250Z')
      expect(told({ terms: turning, observed: active, at: turn - 1 })).to.equal('Keep')
      expect(told({ terms: turning, observed: active, at: turn })).to.contain('Revoked: its conditions hold no longer')
    })
  })
})

describe('a grant that ends with an object', () => {
  const until = { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', condition: null }
  const living = { ...active, recorded: { ...recorded, untilUid: 'job-1' } }
  const table: readonly (readonly [sentence: string, facts: UntilFacts, observed: GrantObservation, plan: string])[] = [
    ['waits until it is there', { kind: 'Absent' }, pending, 'Wait UntilMissing: there is no Job migrate yet, with which it is to end'],
    ['waits until it is known', { kind: 'Unknown', message: 'it may not be read' }, pending, 'Wait UntilUnknown: Job migrate, with which it is to end: it may not be read'],
    ['is denied when it has ended before', { kind: 'Ended', uid: 'job-1', message: 'succeeded' }, pending, 'Deny Denied: Job migrate succeeded already'],
    ['is issued while it runs', { kind: 'Running', uid: 'job-1' }, pending, 'Issue for 30m'],
    ['lives while it runs', { kind: 'Running', uid: 'job-1' }, living, 'Keep'],
    ['lives on when nothing is known of it any more', { kind: 'Unknown', message: 'it may not be read' }, living, 'Keep'],
    ['is completed when it succeeds', { kind: 'Ended', uid: 'job-1', message: 'succeeded' }, living, 'Completed: Job migrate succeeded'],
    ['is completed when it is deleted', { kind: 'Absent' }, living, 'Completed: Job migrate is gone'],
    ['is completed when there is another of its name', { kind: 'Running', uid: 'job-2' }, living, 'Completed: Job migrate was deleted and created again'],
  ] // prettier-ignore
  for (const [sentence, facts, observed, expected] of table)
    it(sentence, () => expect(told({ spec: { until }, until: facts, observed })).to.equal(expected))

  it('may look at kinds that the policy lists, and at no others', () => {
    const compiling = compileCondition('object.ended', grantScope)
    const looking = {
      ...until,
      condition: compiling.ok
        ? compiling.condition
        : { uses: new Set<string>(), evaluate: () => ({ ok: true, value: true, spent: 0 }) as const },
    }
    const running = { kind: 'Running', uid: 'job-1' } as const
    expect(told({ spec: { until: looking }, until: running, observed: settled })).to.contain('[until-not-allowed]')
    const listed = { until: [{ apiVersion: 'batch/v1', kind: 'Job' }] }
    expect(told({ spec: { until: looking }, until: running, terms: listed })).to.equal('Issue for 30m')
  })
})

describe('a grant for an emergency', () => {
  it('needs no approval, is shorter, and must be reviewed', () => {
    const issue = plan({ spec: emergency, terms: { breakGlass, approval } })
    expect(gist(issue)).to.equal('Issue for 10m')
    expect(issue.kind === 'Issue' && issue.record.reviewBy).to.equal(now + 10 * minute + day)
  })

  it('is refused by a policy that has none, to who may not ask for one, and for longer', () => {
    expect(told({ spec: emergency, observed: settled })).to.contain('[break-glass-not-allowed]')
    const others = { ...breakGlass, requesters: [{ kind: 'User', name: 'cem' } as const] }
    expect(told({ spec: emergency, terms: { breakGlass: others }, observed: settled })).to.contain(
      '[requester-not-allowed]',
    )
    const longer = { ...emergency, end: { kind: 'After', duration: 11 * minute } } as const
    expect(told({ spec: longer, terms: { breakGlass }, observed: settled })).to.contain('[duration-too-long] 11m')
  })

  it('waits for the review of an earlier one of the subject, and of any that is overdue', () => {
    const other = { kind: 'User', name: 'cem' } as const
    expect(blocked({})).to.contain('[break-glass-unreviewed] grant payments/earlier')
    expect(blocked({ subject: other, dueBy: now })).to.contain('was due for review at 2027-01-15T12:00:00.000Z')
    expect(blocked({ subject: other })).to.equal('Issue for 10m')
    expect(blocked({ ended: false })).to.equal('Issue for 10m')
  })

  it('is reviewed by who may, never by who asked or its subject', () => {
    expect(reviewed('ana')).to.equal('Reviewed by ana')
    for (const who of ['cem', 'system:serviceaccount:ci:deployer']) expect(reviewed(who)).to.equal('Rest')
  })
})

describe('a suspension', () => {
  const suspensions = [{ name: 'deployer', subject: deployer, reason: 'its token leaked' }]

  it('revokes what its subject has, and refuses what it asks for', () => {
    expect(told({ observed: active, world: { suspensions } })).to.equal(
      'Revoked: ServiceAccount ci/deployer is suspended: its token leaked',
    )
    expect(told({ observed: settled, world: { suspensions } })).to.contain('Deny Denied: [subject-suspended]')
  })

  it('knows its subject by every spelling', () => {
    const subject = { kind: 'User', name: 'system:serviceaccount:ci:deployer' } as const
    expect(told({ observed: active, spec: { subject }, world: { suspensions } })).to.contain('is suspended')
    const spelled = [{ ...suspensions[0]!, subject }]
    expect(told({ observed: active, world: { suspensions: spelled } })).to.contain('is suspended')
  })
})

function notRead(): never {
  throw new Error('inputs were read in front of an end')
}

describe('an end that was carried out and is not told', () => {
  it('is the end, whatever else has changed since, and is read off the status alone', () => {
    const ending = { state: 'Revoked', at: now - minute, message: 'it was suspended' } as const
    expect(planGrant({ ...active, ending }, notRead, now)).to.deep.equal({ kind: 'End', ...ending })
  })
})

describe('an ended grant', () => {
  it('is kept for as long as its policy says, and then discarded', () => {
    expect(kept(2 * hour)).to.deep.equal({ kind: 'Rest', lookAgainAt: now + hour })
    expect(kept(hour)).to.deep.equal({ kind: 'Discard' })
  })

  it('is discarded only when its time is over by every clock', () => {
    const early = plan({ terms: { retention: hour }, observed: ended, issueFrom: now - 1 })
    expect(early).to.deep.equal({ kind: 'Rest', lookAgainAt: now })
  })

  it('is kept for ever where no policy says so', () => {
    expect(kept(null)).to.deep.equal({ kind: 'Rest', lookAgainAt: null })
    expect(plan({ observed: ended, world: { policies: [] } })).to.deep.equal({ kind: 'Rest', lookAgainAt: null })
  })

  it('F4: is kept where a GitOps tool would create it again, and while its review is due', () => {
    expect(kept(minute, { ...ended, tracked: true })).to.deep.equal({ kind: 'Rest', lookAgainAt: null })
    expect(kept(minute, { ...ended, unreviewed: true })).to.deep.equal({ kind: 'Rest', lookAgainAt: null })
  })

  it('is not discarded before its end is proved', () => {
    expect(kept(minute, { ...ended, revocationVerified: false })).to.deep.equal({ kind: 'Prove' })
  })
})

describe('clocks that differ', () => {
  before(loadConditionEngine)

  it('must all agree to what depends on the time', () => {
    const spec = { end: { kind: 'After', duration: 30 * minute } } as const
    const noon = condition('now >= timestamp("2027-01-15T12:00:00Z")', { kind: 'Deny' })
    const evening = condition('now < timestamp("2027-01-15T12:00:01Z")', { kind: 'StepUp' }, 'evening')
    const decide = (expected: GrantCondition, at: Instant, issueFrom: Instant) =>
      decideGrant(
        requestOf(spec),
        worldOf({ policies: [policyOf({ grants: { ...terms, conditions: [expected], approval } })] }),
        at,
        issueFrom,
      )
    expect(decide(noon, now, now).allowed).to.equal(true)
    expect(decide(noon, now, now - 20 * minute).allowed).to.equal(false)
    const stepped = decide(evening, now + 2_000, now)
    expect(stepped.allowed && stepped.reasons).to.have.length(1)
  })
})

describe('a grant', () => {
  it('ends with the version of its policy, if that is due for review before', () => {
    const policy = policyOf({ change: { ...policyOf().change, expiresAt: now + 5 * minute } })
    expect(told({ world: { policies: [policy] } })).to.equal('Issue for 5m')
  })
})
