import { expect } from 'chai'
import { countApprovals, whyNotApprover, type ApprovalFacts } from '../../../src/core/grant/approval.ts'
import type { GrantSpec } from '../../../src/core/grant/grant.ts'
import type { Requester } from '../../../src/core/identity.ts'
import type { WhoRule } from '../../../src/core/policy/policy.ts'
import { now } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { deployerName, specOf } from './request-of.ts'

const leads: WhoRule = { kind: 'Group', name: 'payments-leads' }
const ana: WhoRule = { kind: 'User', name: 'ana' }
const robot: WhoRule = { kind: 'ServiceAccount', namespace: 'ci', name: 'robot' }
const robotName = 'system:serviceaccount:ci:robot'
const asker = specOf({ requestedBy: 'bob' })

describe('who may not approve a grant', () => {
  const table: readonly (readonly [
    sentence: string,
    approver: Requester,
    by: readonly WhoRule[],
    why: string | null,
    spec?: GrantSpec,
  ])[] = [
    ['F16: who asked for it, though he is listed', { username: 'bob', groups: ['payments-leads'] }, [leads], 'bob asked for the grant'],
    ['F16: its subject', { username: deployerName, groups: [] }, [{ kind: 'User', name: deployerName }], `${deployerName} is the subject of the grant`],
    ['F16: its subject, listed as the ServiceAccount that it is', { username: deployerName, groups: [] }, [{ kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }], `${deployerName} is the subject of the grant`],
    ['F16: its subject, which the grant spells as a User', { username: deployerName, groups: [] }, [leads], `${deployerName} is the subject of the grant`, specOf({ requestedBy: 'bob', subject: { kind: 'User', name: deployerName } })],
    ['F16: a member of the group that is its subject', { username: 'ana', groups: ['payments-leads'] }, [ana], 'ana is a member of Group payments-leads, the subject of the grant', specOf({ requestedBy: 'bob', subject: { kind: 'Group', name: 'payments-leads' } })],
    ['F16: anybody, where nobody is listed', { username: 'ana', groups: ['payments-leads'] }, [], 'nobody may'],
    ['somebody who is not listed', { username: 'eve', groups: ['payments'] }, [leads, ana], 'only these may: Group payments-leads, User ana'],
    ['a User with the name of a listed Group', { username: 'payments-leads', groups: [] }, [leads], 'only these may: Group payments-leads'],
  ] // prettier-ignore
  for (const [sentence, approver, by, why, spec = asker] of table)
    it(sentence, () => expect(whyNotApprover(spec, approver, by, worldOf(), false)).to.equal(why))

  it('is not who is listed, by name or by group', () => {
    expect(whyNotApprover(asker, { username: 'ana', groups: [] }, [ana], worldOf(), false)).to.equal(null)
    expect(whyNotApprover(asker, { username: 'cem', groups: ['payments-leads'] }, [leads], worldOf(), false)).to.equal(
      null,
    )
    expect(whyNotApprover(asker, { username: robotName, groups: [] }, [robot], worldOf(), false)).to.equal(null)
  })

  it('is who is suspended', () => {
    const subject = { kind: 'User', name: 'ana' } as const
    const world = worldOf({ suspensions: [{ name: 'ana', subject, reason: 'left' }] })
    expect(whyNotApprover(asker, { username: 'ana', groups: [] }, [ana], world, false)).to.equal(
      'ana is suspended: left',
    )
  })

  it('is a member of a group that nobody knows of, but not one whose admission asked', () => {
    const unknown = { username: 'cem', groups: null }
    expect(whyNotApprover(asker, unknown, [leads], worldOf(), false)).to.equal('only these may: Group payments-leads')
    expect(whyNotApprover(asker, unknown, [leads], worldOf(), true)).to.equal(null)
  })
})

function fact(approver: string | null, fields: Partial<ApprovalFacts> = {}): ApprovalFacts {
  return {
    name: `by-${approver}`,
    grantDigest: 'what was asked, under d1',
    decision: 'Approve',
    approver,
    reason: 'seen',
    createdAt: now,
    ...fields,
  }
}

const digestUnder = (policy: string): string => `what was asked, under ${policy}`

function count(facts: readonly ApprovalFacts[], by: readonly WhoRule[] = [leads, ana, robot], world = worldOf()) {
  const { given, denial } = countApprovals(asker, { facts, digestUnder }, { by, digest: 'd1' }, world)
  return { given: given.map(({ approver }) => approver), denial: denial?.approver ?? null }
}

describe('the approvals that count', () => {
  const withRobot = worldOf({ serviceAccounts: { 'ci/robot': {} } })

  it('are those of people and machines that are listed, each once', () => {
    expect(count([fact('ana'), fact('ana', { name: 'again' }), fact(robotName)], undefined, withRobot)).to.deep.equal({
      given: ['ana', robotName],
      denial: null,
    })
  })

  const none: readonly (readonly [sentence: string, facts: readonly ApprovalFacts[], by?: readonly WhoRule[]])[] = [
    ['of another wish, or another version', [fact('ana', { grantDigest: 'what was asked, under d2' })]],
    ['of nobody', [fact(null)]],
    ['of who asked', [fact('bob')]],
    ['of who is no longer listed', [fact('ana')], [{ kind: 'User', name: 'cem' }]],
    ['where nobody is listed any more', [fact('ana')], []],
    ['of a ServiceAccount that is gone', [fact(robotName)]],
    ['that are reviews', [fact('ana', { decision: 'Review' })]],
  ]
  for (const [sentence, facts, by] of none)
    it(`are none ${sentence}`, () => expect(count(facts, by)).to.deep.equal({ given: [], denial: null }))

  it('are told beside a denial, of somebody who may say so', () => {
    expect(count([fact('ana', { decision: 'Deny' }), fact('cem')])).to.deep.equal({ given: ['cem'], denial: 'ana' })
    expect(count([fact('bob', { decision: 'Deny' })]).denial).to.equal(null)
  })
})
