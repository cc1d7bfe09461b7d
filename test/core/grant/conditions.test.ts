import { expect } from 'chai'
import { grantScope } from '../../../src/core/cel/scope.ts'
import { compileCondition, loadConditionEngine } from '../../../src/core/cel/engine.ts'
import { decideGrant, type GrantRequest } from '../../../src/core/grant/decide.ts'
import { hour, now, policyOf, terms } from '../policy/policy-of.ts'
import { revisionOf, worldOf } from '../policy/world-of.ts'
import { requestOf } from './request-of.ts'

function reasons(
  expression: string,
  {
    at = now,
    appliedAt = now,
    ...fields
  }: Partial<GrantRequest> & { readonly at?: number; readonly appliedAt?: number },
): readonly string[] {
  const compiling = compileCondition(expression, grantScope)
  if (!compiling.ok) throw new Error(compiling.problems.map(({ message }) => message).join())
  const conditions = [
    { name: 'c', condition: compiling.condition, message: null, otherwise: { kind: 'Deny' } as const },
  ]
  const policies = [policyOf({ grants: { ...terms, conditions } })]
  const decision = decideGrant(
    requestOf({}, fields),
    worldOf({ policies, revisions: [revisionOf('1.4.0', { appliedAt })] }),
    at,
  )
  return decision.allowed ? [] : decision.findings.map(({ check, message }) => `${check}: ${message}`)
}

describe('the conditions of a grant', () => {
  before(loadConditionEngine)

  it('are judged when it is created', () => {
    expect(reasons('now < timestamp("2027-01-15T12:30:00Z")', {})).to.deep.equal([])
    expect(reasons('now > timestamp("2027-01-15T12:30:00Z")', {})).to.deep.equal([
      'condition: condition c does not hold',
    ])
  })

  it('are judged again when it is issued, at the time it then is', () => {
    const early = 'now < timestamp("2027-01-15T12:30:00Z")'
    expect(reasons(early, { createdAt: now, at: now })).to.deep.equal([])
    expect(reasons(early, { createdAt: now, at: now + hour })).to.deep.equal(['condition: condition c does not hold'])
  })

  it('stand on the admission when they look at the request, if that asked this version', () => {
    const asked = '"payments-leads" in request.userInfo.groups'
    expect(reasons(asked, { createdAt: now, requester: requestOf().requester })).to.deep.equal([])
    for (const createdAt of [now - hour, now - 1])
      expect(reasons(asked, { createdAt })).to.deep.equal([
        'condition: condition c could not be judged: it looks at the request, which was made under another version',
      ])
  })

  it('are not fulfilled by a requester whose groups nobody knows', () => {
    const known = { username: 'system:serviceaccount:ci:deployer', groups: null }
    expect(reasons('!("evil" in request.userInfo.groups)', { requester: known })).to.deep.equal([
      'condition: condition c could not be judged: line 1, column 13: there is no such field or key',
    ])
  })

  it('are not fulfilled by the groups of a User, which nobody knows', () => {
    const spec = { ...requestOf().spec, subject: { kind: 'User', name: 'ci:acme/payments' } } as const
    const found = reasons('!("evil" in subject.groups)', { spec })
    expect(found.join()).to.contain('condition c could not be judged')
  })
})
