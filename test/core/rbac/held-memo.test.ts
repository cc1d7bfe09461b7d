import { expect } from 'chai'
import { memoHeldCapabilities } from '../../../src/core/rbac/held-capabilities.ts'
import { api, binding, rbacOf, role, rule } from './rbac-of.ts'

const ids = (held: ReturnType<typeof memoHeldCapabilities>) => held.map(({ capability }) => capability)

describe('memoHeldCapabilities', () => {
  const objects = [role('payments/r', rule('list secrets')), binding('payments/b', 'Role r', 'ServiceAccount api')]

  it('gives the very same answer as long as nothing changed', () => {
    const view = rbacOf(...objects)
    const first = memoHeldCapabilities(api, ['secrets-read'], view)
    expect(ids(first)).to.deep.equal(['secrets-read'])
    expect(memoHeldCapabilities(api, ['secrets-read'], view)).to.equal(first)
  })

  it('asks anew when the view has changed', () => {
    const view = rbacOf(...objects)
    memoHeldCapabilities(api, ['secrets-read'], view)
    view.remove('RoleBinding', 'payments', 'b')
    expect(memoHeldCapabilities(api, ['secrets-read'], view)).to.deep.equal([])
  })

  it('keeps views, users, groups, wanted capabilities and ignored bindings apart', () => {
    const view = rbacOf(...objects)
    const ignoreBindings = new Set(['uid of payments/b'])
    expect(ids(memoHeldCapabilities(api, ['secrets-read'], view))).to.deep.equal(['secrets-read'])
    expect(memoHeldCapabilities(api, ['secrets-read'], rbacOf())).to.deep.equal([])
    expect(memoHeldCapabilities({ username: 'ana', groups: [] }, ['secrets-read'], view)).to.deep.equal([])
    expect(ids(memoHeldCapabilities({ ...api, groups: ['system:masters'] }, ['exec'], view))).to.deep.equal(['exec'])
    expect(memoHeldCapabilities(api, ['exec'], view)).to.deep.equal([])
    expect(memoHeldCapabilities(api, ['secrets-read'], view, { ignoreBindings })).to.deep.equal([])
    expect(ids(memoHeldCapabilities(api, ['secrets-read'], view, { ignoreBindings: new Set() }))).to.deep.equal([
      'secrets-read',
    ])
  })
})
