import { expect } from 'chai'
import type { Identity } from '../../../src/core/identity.ts'
import type { SubjectRule } from '../../../src/core/policy/policy.ts'
import { canonicalIdentity, governingPolicies, governs } from '../../../src/core/policy/select.ts'
import type { LabelSelector } from '../../../src/core/selector.ts'
import { policyOf } from './policy-of.ts'
import { worldOf } from './world-of.ts'

const deployer: Identity = { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }
const spelledOut: Identity = { kind: 'User', name: 'system:serviceaccount:ci:deployer' }

const world = worldOf({
  namespaces: { ci: { team: 'payments' } },
  serviceAccounts: { 'ci/deployer': { labels: { 'lapse.dev/nhi': 'deployer' } } },
})

function accounts(
  namespaceSelector: LabelSelector | null,
  selector: LabelSelector | null,
  ...names: readonly string[]
): SubjectRule {
  return { kind: 'ServiceAccount', namespaceSelector, selector, names }
}

interface Sentence {
  readonly sentence: string
  readonly subject: SubjectRule
  readonly identity: Identity
  readonly governed: boolean
}

const byLabel = { matchLabels: { 'lapse.dev/nhi': 'deployer' } }
const table: readonly Sentence[] = [
  { sentence: 'a ServiceAccount by name', subject: accounts({}, null, 'deployer'), identity: deployer, governed: true },
  { sentence: 'a ServiceAccount by label', subject: accounts({}, byLabel), identity: deployer, governed: true },
  { sentence: 'every ServiceAccount by {}', subject: accounts({}, {}), identity: deployer, governed: true },
  {
    sentence: 'nothing by neither names nor selector',
    subject: accounts({}, null),
    identity: deployer,
    governed: false,
  },
  {
    sentence: 'nothing by an omitted namespaceSelector',
    subject: accounts(null, {}, 'deployer'),
    identity: deployer,
    governed: false,
  },
  {
    sentence: 'nothing in a namespace with other labels',
    subject: accounts({ matchLabels: { team: 'search' } }, {}, 'deployer'),
    identity: deployer,
    governed: false,
  },
  {
    sentence: 'nothing in a namespace that is not known, not even by {}',
    subject: accounts({}, {}, 'deployer'),
    identity: { ...deployer, namespace: 'elsewhere' },
    governed: false,
  },
  {
    sentence: 'by {} no ServiceAccount that is not known',
    subject: accounts({}, {}),
    identity: { ...deployer, name: 'ghost' },
    governed: false,
  },
  {
    sentence: 'by name a ServiceAccount that is not there yet',
    subject: accounts({}, null, 'ghost'),
    identity: { ...deployer, name: 'ghost' },
    governed: true,
  },
  {
    sentence: 'no ServiceAccount by a label key that every JavaScript object inherits',
    subject: accounts({}, { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }),
    identity: deployer,
    governed: false,
  },
  {
    sentence: 'the ServiceAccount that a User spells out',
    subject: accounts({}, byLabel),
    identity: spelledOut,
    governed: true,
  },
  {
    sentence: 'the ServiceAccount that an entry spells out as User',
    subject: { kind: 'User', names: ['system:serviceaccount:ci:deployer'] },
    identity: deployer,
    governed: true,
  },
  {
    sentence: 'a User by exact name',
    subject: { kind: 'User', names: ['ci:acme'] },
    identity: { kind: 'User', name: 'ci:acme' },
    governed: true,
  },
  {
    sentence: 'no User whose name only begins so',
    subject: { kind: 'User', names: ['ci:acme'] },
    identity: { kind: 'User', name: 'ci:acme/x' },
    governed: false,
  },
  {
    sentence: 'a Group by name',
    subject: { kind: 'Group', names: ['bots'] },
    identity: { kind: 'Group', name: 'bots' },
    governed: true,
  },
  {
    sentence: 'no User of the name of a Group',
    subject: { kind: 'Group', names: ['bots'] },
    identity: { kind: 'User', name: 'bots' },
    governed: false,
  },
  {
    sentence: 'no Group of the name of a User',
    subject: { kind: 'User', names: ['bots'] },
    identity: { kind: 'Group', name: 'bots' },
    governed: false,
  },
]

describe('a policy governs', () => {
  for (const { sentence, subject, identity, governed } of table) {
    it(sentence, () => expect(governs(policyOf({ subjects: [subject] }), identity, world)).to.equal(governed))
  }

  it('the union of its entries', () => {
    const subjects: SubjectRule[] = [{ kind: 'User', names: ['ana'] }, accounts({}, null, 'deployer')]
    expect(governs(policyOf({ subjects }), deployer, world)).to.equal(true)
  })

  it('nobody without entries', () => expect(governs(policyOf({ subjects: [] }), deployer, world)).to.equal(false))
})

describe('governingPolicies', () => {
  it('finds every policy that governs, by name, and no other', () => {
    const policies = [
      policyOf({ name: 'zeta', subjects: [accounts({}, {})] }),
      policyOf({ name: 'alpha', subjects: [accounts({}, null, 'deployer')] }),
      policyOf({ name: 'other', subjects: [{ kind: 'User', names: ['ana'] }] }),
    ]
    const found = governingPolicies(spelledOut, { ...world, policies: () => policies })
    expect(found.map((policy) => policy.name)).to.deep.equal(['alpha', 'zeta'])
  })
})

describe('canonicalIdentity', () => {
  it('turns a User that spells out a ServiceAccount into it', () => {
    expect(canonicalIdentity(spelledOut)).to.deep.equal(deployer)
  })

  it('leaves every other identity as it is', () => {
    for (const identity of [deployer, { kind: 'User', name: 'ana' }, { kind: 'Group', name: 'x' }] as const)
      expect(canonicalIdentity(identity)).to.equal(identity)
  })
})
