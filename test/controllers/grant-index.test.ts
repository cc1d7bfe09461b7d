import { expect } from 'chai'
import * as fc from 'fast-check'

import type { NHIGrant } from '../../src/api/v1alpha1/objects.ts'
import type { ObjectKey } from '../../src/cluster/ports.ts'
import { GrantIndex } from '../../src/controllers/grant-index.ts'
import { serviceAccountOf } from '../../src/core/identity.ts'
import { nhiGrant } from '../api/v1alpha1/wire.ts'
import { HandCache } from '../support/hand-cache.ts'

interface Subject {
  readonly kind: 'ServiceAccount' | 'User' | 'Group'
  readonly namespace?: string
  readonly name: string
}

const robot: Subject = { kind: 'ServiceAccount', namespace: 'ci', name: 'robot' }

function grant(namespace: string, name: string, policy: string, subject: Subject): NHIGrant {
  return nhiGrant((wire) => {
    wire.metadata = { namespace, name, uid: `${namespace}-${name}`, resourceVersion: '1' }
    wire.spec.policy = { name: policy }
    wire.spec.subject = subject
  }) as NHIGrant
}

function indexed(): { readonly grants: HandCache<NHIGrant>; readonly index: GrantIndex } {
  const grants = new HandCache<NHIGrant>()
  const index = new GrantIndex()
  grants.subscribe((change) => index.apply(change))
  return { grants, index }
}

const textsOf = (keys: readonly ObjectKey[]): readonly string[] =>
  keys.map(({ namespace, name }) => `${namespace}/${name}`).sort()

describe('the grants that a change concerns', () => {
  it('are found by policy, by namespace and by account, which may be spelled as a User', () => {
    const { grants, index } = indexed()
    grants.put(grant('payments', 'a', 'deploy', robot))
    grants.put(grant('payments', 'b', 'read', { kind: 'User', name: 'system:serviceaccount:ci:robot' }))
    grants.put(grant('ci', 'c', 'read', { kind: 'Group', name: 'robot' }))
    expect(textsOf(index.ofPolicy('read'))).to.deep.equal(['ci/c', 'payments/b'])
    expect(textsOf(index.ofNamespace('payments'))).to.deep.equal(['payments/a', 'payments/b'])
    expect(textsOf(index.ofNamespace('ci'))).to.deep.equal(['ci/c', 'payments/a', 'payments/b'])
    expect(textsOf(index.ofAccount({ namespace: 'ci', name: 'robot' }))).to.deep.equal(['payments/a', 'payments/b'])
  })

  it('are those of now, when what a grant names has changed', () => {
    const { grants, index } = indexed()
    grants.put(grant('payments', 'a', 'deploy', robot))
    grants.put(grant('payments', 'a', 'read', { ...robot, name: 'other' }))
    expect(index.ofPolicy('deploy')).to.deep.equal([])
    expect(index.ofAccount({ namespace: 'ci', name: 'robot' })).to.deep.equal([])
    expect(textsOf(index.ofPolicy('read'))).to.deep.equal(['payments/a'])
  })

  it('are found once, and not after they are gone, where the account is of their own namespace', () => {
    const { grants, index } = indexed()
    const own = grant('ci', 'a', 'deploy', robot)
    grants.put(own)
    expect(textsOf(index.ofNamespace('ci'))).to.deep.equal(['ci/a'])
    grants.remove(own)
    expect(index.ofNamespace('ci')).to.deep.equal([])
  })

  it('that cannot be read any more are found by where they are', () => {
    const { grants, index } = indexed()
    grants.put({ ...grant('ci', 'a', 'deploy', robot), spec: null } as unknown as NHIGrant)
    expect(textsOf(index.ofNamespace('ci'))).to.deep.equal(['ci/a'])
  })

  it('are the same as a look at all of them finds, whatever came and went', () => {
    const few = fc.constantFrom('a', 'b', 'c')
    const subject: fc.Arbitrary<Subject> = fc.oneof(
      fc.record({ kind: fc.constant('ServiceAccount' as const), namespace: few, name: few }),
      fc.record({ kind: fc.constantFrom('User' as const, 'Group' as const), name: few }),
      fc.tuple(few, few).map(([at, name]) => ({ kind: 'User' as const, name: `system:serviceaccount:${at}:${name}` })),
    )
    const step = fc.record({ namespace: few, name: few, policy: few, subject, isPut: fc.boolean() })
    const history = fc.array(step, { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(history, (steps) => {
        const { grants, index } = indexed()
        for (const { namespace, name, policy, subject: whom, isPut } of steps) {
          const next = grant(namespace, name, policy, whom)
          if (isPut) grants.put(next)
          else if (grants.get({ namespace, name }) !== null) grants.remove(next)
          expectAsByScan(grants, index)
        }
      }),
      { seed: 20_261_121, numRuns: 200 },
    )
  })
})

function expectAsByScan(grants: HandCache<NHIGrant>, index: GrantIndex): void {
  const where = (concerns: (grant: NHIGrant) => boolean): readonly string[] =>
    grants
      .list()
      .filter(concerns)
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
      .sort()
  for (const one of ['a', 'b', 'c']) {
    expect(textsOf(index.ofPolicy(one))).to.deep.equal(where(({ spec }) => spec.policy.name === one))
    expect(textsOf(index.ofNamespace(one))).to.deep.equal(
      where((each) => each.metadata.namespace === one || accountOf(each)?.namespace === one),
    )
    for (const other of ['a', 'b', 'c'])
      expect(textsOf(index.ofAccount({ namespace: one, name: other }))).to.deep.equal(
        where((each) => accountOf(each)?.namespace === one && accountOf(each)?.name === other),
      )
  }
}

function accountOf({ spec: { subject } }: NHIGrant): { readonly namespace?: string; readonly name: string } | null {
  if (subject.kind === 'ServiceAccount') return subject
  return subject.kind === 'User' ? serviceAccountOf(subject.name) : null
}
