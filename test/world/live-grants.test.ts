import { expect } from 'chai'
import type { Identity } from '../../src/core/identity.ts'
import type { LiveGrant } from '../../src/core/world.ts'
import { LiveGrants } from '../../src/world/live-grants.ts'

function live(uid: string, fields: Partial<LiveGrant> = {}): LiveGrant {
  return {
    uid,
    namespace: 'payments',
    name: uid,
    policy: 'payments-deploy',
    subject: { kind: 'User', name: 'ci:acme' },
    state: 'Active',
    issued: true,
    bindings: [`binding of ${uid}`],
    notAfter: null,
    policyDigest: null,
    subjectUid: null,
    ending: false,
    waive: [],
    ...fields,
  }
}

const uidsUnder = (grants: LiveGrants, policy: string): readonly string[] => grants.under(policy).map(({ uid }) => uid)

describe('LiveGrants', () => {
  it('finds the grants of a policy', () => {
    const grants = new LiveGrants()
    grants.put('payments/a', live('a'))
    grants.put('payments/b', live('b', { policy: 'search' }))
    expect(uidsUnder(grants, 'payments-deploy')).to.deep.equal(['a'])
    expect(uidsUnder(grants, 'search')).to.deep.equal(['b'])
    expect(uidsUnder(grants, 'ghost')).to.deep.equal([])
  })

  it('leaves out those for other subjects when one is given, and none that is for it, however it is spelled', () => {
    const grants = new LiveGrants()
    grants.put('payments/a', live('a', { subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'x' } }))
    grants.put('payments/b', live('b', { subject: { kind: 'User', name: 'system:serviceaccount:ci:x' } }))
    grants.put('payments/c', live('c', { subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'y' } }))
    grants.put('payments/d', live('d', { subject: { kind: 'Group', name: 'ops' } }))
    const under = (subject: Identity): readonly string[] =>
      grants.under('payments-deploy', subject).map(({ uid }) => uid)
    expect(under({ kind: 'ServiceAccount', namespace: 'ci', name: 'x' })).to.deep.equal(['a', 'b'])
    expect(under({ kind: 'User', name: 'system:serviceaccount:ci:y' })).to.deep.equal(['c'])
    expect(under({ kind: 'Group', name: 'ops' })).to.include('d')
    expect(grants.under('search', { kind: 'ServiceAccount', namespace: 'ci', name: 'x' })).to.deep.equal([])
  })

  it('keeps one grant per name, also when another of that name has another policy', () => {
    const grants = new LiveGrants()
    grants.put('payments/a', live('a'))
    grants.put('payments/a', live('a2', { policy: 'search' }))
    expect(uidsUnder(grants, 'payments-deploy')).to.deep.equal([])
    expect(uidsUnder(grants, 'search')).to.deep.equal(['a2'])
  })

  it('finds the grants of a subject, however it is spelled', () => {
    const uidsOf = (username: string): readonly string[] => grants.of(username).map(({ uid }) => uid)
    const grants = new LiveGrants()
    grants.put('payments/a', live('a', { subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'x' } }))
    grants.put(
      'payments/b',
      live('b', { subject: { kind: 'User', name: 'system:serviceaccount:ci:x' }, policy: 'other' }),
    )
    grants.put('payments/c', live('c', { subject: { kind: 'Group', name: 'system:serviceaccount:ci:x' } }))
    expect(uidsOf('system:serviceaccount:ci:x')).to.deep.equal(['a', 'b'])
    grants.put('payments/a', live('a'))
    grants.remove('payments/b')
    grants.remove('payments/c')
    expect(uidsOf('system:serviceaccount:ci:x')).to.deep.equal([])
    expect(uidsOf('ci:acme')).to.deep.equal(['a'])
  })

  it('forgets a grant that has ended, or is gone', () => {
    const grants = new LiveGrants()
    for (const uid of ['a', 'b', 'c']) grants.put(`payments/${uid}`, live(uid))
    grants.put('payments/a', null)
    grants.remove('payments/b')
    grants.remove('payments/ghost')
    expect(uidsUnder(grants, 'payments-deploy')).to.deep.equal(['c'])
    expect([...grants.bindings()]).to.deep.equal(['binding of c'])
  })

  it('counts only the bindings of Active grants as access that ends by itself', () => {
    const grants = new LiveGrants()
    grants.put('payments/a', live('a'))
    grants.put('payments/b', live('b', { state: 'Pending' }))
    expect([...grants.bindings()]).to.deep.equal(['binding of a'])
  })

  it('gives the same set until its content changes', () => {
    const grants = new LiveGrants()
    grants.put('payments/a', live('a'))
    const first = grants.bindings()
    grants.put('payments/a', live('a', { issued: true }))
    grants.put('payments/p', live('p', { state: 'Pending' }))
    expect(grants.bindings()).to.equal(first)
    grants.put('payments/b', live('b'))
    expect(grants.bindings()).to.not.equal(first)
    expect([...grants.bindings()]).to.deep.equal(['binding of a', 'binding of b'])
    grants.put('payments/a', live('a', { bindings: ['another'] }))
    expect([...grants.bindings()]).to.have.members(['another', 'binding of b'])
  })
})
