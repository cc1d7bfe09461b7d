import { expect } from 'chai'
import { reviewServiceAccount, type AccountMarks } from '../../../src/core/access/service-account.ts'
import { policyOf } from '../policy/policy-of.ts'
import { binding, role, rule } from '../rbac/rbac-of.ts'
import { standingPolicy, worldWith } from './writes.ts'

const arn = 'eks.amazonaws.com/role-arn'
const marks = (fields: Partial<AccountMarks> = {}): AccountMarks => ({ labels: {}, annotations: {}, ...fields })
const nhi = marks({ labels: { nhi: 'deployer' } })

const byLabel = standingPolicy(
  {},
  {
    subjects: [
      {
        kind: 'ServiceAccount',
        namespaceSelector: { matchLabels: { team: 'payments' } },
        selector: { matchLabels: { nhi: 'deployer' } },
        names: [],
      },
    ],
  },
)

const review = (before: AccountMarks | null, after: AccountMarks, policies = [byLabel], name = 'api') => {
  const { verdict, findings } = reviewServiceAccount({ namespace: 'ci', name, before, after }, worldWith([], policies))
  return [verdict, ...findings.map(({ check, path, message }) => `[${check}] ${path}: ${message}`)]
}

describe('reviewServiceAccount', () => {
  it('warns that a policy no longer governs the account', () => {
    expect(review(nhi, marks())).to.deep.equal([
      'Warn',
      '[governance-ended] metadata.labels: with these labels policy payments-deploy@1.4.0 no longer governs the ServiceAccount',
    ])
  })

  it('says so of every policy, whatever it judges, and on record only where the policy wants no more', () => {
    const silent = { ...byLabel, name: 'silent', workloads: null }
    expect(review(nhi, marks(), [byLabel, silent])).to.have.length(3)
    const auditing = { ...standingPolicy({ enforcement: 'Audit' }), subjects: byLabel.subjects }
    expect(review(nhi, marks(), [auditing])[0]).to.equal('Audit')
  })

  it('warns of what an account that comes under a policy holds for good, in each place once', () => {
    const world = worldWith(
      [
        role('reader', rule('get,list secrets'), rule('get configmaps')),
        binding('ci/mine', 'ClusterRole reader', 'ServiceAccount api'),
        binding('search/mine', 'ClusterRole reader', 'User system:serviceaccount:ci:api'),
        binding('payments/other', 'ClusterRole reader', 'Group system:serviceaccounts'),
        binding('payments/granted', 'ClusterRole lapse-set-1', 'ServiceAccount ci/api'),
        role('lapse-set-1', rule('get pods')),
      ],
      [byLabel],
    )
    const told = (before: AccountMarks | null) =>
      reviewServiceAccount({ namespace: 'ci', name: 'api', before, after: nhi }, world).findings.map(
        ({ check, path, message, enforcement }) => `${enforcement} [${check}] ${path}: ${message}`,
      )
    expect(told(marks())).to.deep.equal([
      'Warn [standing-access] metadata.labels: ServiceAccount ci/api holds for good in ci: get,list secrets',
      'Warn [standing-access] metadata.labels: ServiceAccount ci/api holds for good in search: get,list secrets',
    ])
    expect(told(null)).to.deep.equal(told(marks()))
    expect(told(nhi)).to.deep.equal([])
  })

  it('has nothing to say when the account stays, comes, or is selected by name', () => {
    expect(review(nhi, marks({ labels: { nhi: 'deployer', more: 'yes' } }))).to.deep.equal(['Allow'])
    expect(review(marks(), nhi)).to.deep.equal(['Allow'])
    expect(review(null, nhi)).to.deep.equal(['Allow'])
    expect(review(nhi, marks(), [standingPolicy()], 'deployer')).to.deep.equal(['Allow'])
  })

  for (const key of [arn, 'iam.gke.io/gcp-service-account', 'azure.workload.identity/client-id'])
    it(`warns of ${key} on a governed account`, () => {
      const after = { ...nhi, annotations: { [key]: 'someone' } }
      const expected = [
        'Warn',
        `[cloud-identity] metadata.annotations["${key}"]: Pods of this ServiceAccount are someone to the cloud, with whatever that may do`,
      ]
      expect(review(null, after)).to.deep.equal(expected)
      expect(review(nhi, after)).to.deep.equal(expected)
      expect(review({ ...nhi, annotations: { [key]: 'other' } }, after)).to.deep.equal(expected)
    })

  it('does not warn of a cloud identity that was there, is empty, or is on an account whose standing access nobody judges', () => {
    const known = { ...nhi, annotations: { [arn]: 'someone' } }
    expect(review(known, known)).to.deep.equal(['Allow'])
    expect(review(null, { ...nhi, annotations: { [arn]: '' } })).to.deep.equal(['Allow'])
    expect(review(null, { ...known, labels: {} })).to.deep.equal(['Allow'])
    expect(review(null, known, [policyOf({ subjects: byLabel.subjects })])).to.deep.equal(['Allow'])
  })
})
