import { expect } from 'chai'
import { reviewTokenSecret, type TokenSecretWrite } from '../../../src/core/access/token-secret.ts'
import { policyOf } from '../policy/policy-of.ts'
import { standingPolicy, worldWith } from './writes.ts'

const review = (write: Partial<TokenSecretWrite>, policy = standingPolicy()) =>
  reviewTokenSecret({ namespace: 'ci', account: 'deployer', accountBefore: null, ...write }, worldWith([], [policy]))

describe('reviewTokenSecret', () => {
  it('refuses a token without end for a governed account, and says how to have one with an end', () => {
    const { verdict, findings } = review({})
    expect(verdict).to.equal('Deny')
    expect(findings.map(({ check, message, remedy }) => [check, message, remedy])).to.deep.equal([
      [
        'token-secret',
        'the Secret would hold a token of ServiceAccount ci/deployer that never ends',
        'ask for a token with an end: kubectl create token, or a projected volume',
      ],
    ])
  })

  it('does what the policy says that breaches do', () => {
    expect(review({}, standingPolicy({ enforcement: 'Audit' })).verdict).to.equal('Audit')
  })

  it('refuses one for an account that is yet to come, if the policy could come to select it', () => {
    const selector = { matchLabels: { nhi: 'deployer' } }
    const [entry] = standingPolicy().subjects
    const policy = standingPolicy({}, { subjects: [{ ...entry, selector, names: [] } as typeof entry & object] })
    expect(review({ account: 'ghost' }, policy).findings.map(({ message }) => message)).to.deep.equal([
      'the Secret would hold a token of ServiceAccount ci/ghost (which does not exist) that never ends',
    ])
    expect(review({}, policy).verdict).to.equal('Ungoverned')
  })

  it('refuses that a Secret changes hands', () => {
    expect(review({ accountBefore: 'default' }).verdict).to.equal('Deny')
  })

  it('leaves the Secret that has the token already, those of others, and those of nobody', () => {
    expect(review({ accountBefore: 'deployer' }).verdict).to.equal('Ungoverned')
    expect(review({ account: 'default' }).verdict).to.equal('Ungoverned')
    expect(review({ namespace: 'search' }).verdict).to.equal('Ungoverned')
    expect(review({ account: null }).verdict).to.equal('Ungoverned')
  })

  it('judges nothing under a policy that does not speak of standing access', () => {
    expect(review({}, policyOf()).verdict).to.equal('Ungoverned')
  })
})
