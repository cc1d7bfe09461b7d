import { expect } from 'chai'
import * as fc from 'fast-check'
import { RbacIndex } from '../../../src/core/rbac/rbac-index.ts'
import { subjectKeyOf } from '../../../src/core/rbac/subject.ts'
import type { SubjectKey } from '../../../src/core/rbac/subject.ts'
import { binding, rbacOf, role, rule } from './rbac-of.ts'

const key: SubjectKey = 'User:system:serviceaccount:payments:api'
const named = (index: RbacIndex, namespace: string, of: SubjectKey = key) =>
  index.bindingsNaming(of, namespace).map(({ name }) => name)

describe('RbacIndex', () => {
  it('finds roles by namespace and name', () => {
    const index = rbacOf(role('payments/r', rule('get pods')), role('r', rule('get nodes')))
    expect(index.role('payments', 'r')?.rules).to.deep.equal([rule('get pods')])
    expect(index.clusterRole('r')?.rules).to.deep.equal([rule('get nodes')])
    expect(index.role('ci', 'r')).to.equal(null)
    expect(index.role('', 'r')).to.equal(null)
    expect(index.clusterRole('q')).to.equal(null)
  })

  it('keeps RoleBindings and ClusterRoleBindings apart', () => {
    const index = rbacOf(binding('payments/a', 'Role r', 'User ana'), binding('b', 'ClusterRole r', 'User ana'))
    expect(index.roleBindings('payments').map(({ name }) => name)).to.deep.equal(['a'])
    expect(index.clusterRoleBindings().map(({ name }) => name)).to.deep.equal(['b'])
    expect(index.roleBindings('')).to.deep.equal([])
    expect(index.boundNamespaces()).to.deep.equal(['payments'])
  })

  it('finds the bindings of a subject, and the namespaces that hold them', () => {
    const index = rbacOf(
      binding('payments/a', 'Role r', 'ServiceAccount api'),
      binding('ci/a', 'Role r', 'ServiceAccount payments/api'),
      binding('ops/a', 'Role r', 'ServiceAccount api'),
      binding('all', 'ClusterRole r', 'User system:serviceaccount:payments:api'),
    )
    expect(named(index, 'payments')).to.deep.equal(['a'])
    expect(named(index, '')).to.deep.equal(['all'])
    expect(named(index, 'ops')).to.deep.equal([])
    expect(index.namespacesNaming(key)).to.have.members(['payments', 'ci'])
  })

  it('finds the bindings that refer to a role, whether it exists or not', () => {
    const index = rbacOf(
      binding('payments/a', 'Role r', 'User ana'),
      binding('ci/a', 'Role r', 'User ana'),
      binding('ci/b', 'ClusterRole r', 'User ana'),
      binding('all', 'ClusterRole r', 'User ana'),
    )
    const referring = (namespace: string | null, name = 'r') =>
      index.bindingsTo(namespace, name).map((each) => `${each.namespace ?? ''}/${each.name}`)
    expect(referring('payments')).to.deep.equal(['payments/a'])
    expect(referring(null)).to.have.members(['ci/b', '/all'])
    expect(referring(null, 'q')).to.deep.equal([])
    index.upsert('RoleBinding', binding('ci/b', 'ClusterRole q', 'User ana'))
    index.remove('ClusterRoleBinding', null, 'all')
    expect([referring(null), referring(null, 'q')]).to.deep.equal([[], ['ci/b']])
    index.replace('RoleBinding', [])
    expect([referring('payments'), referring(null, 'q')]).to.deep.equal([[], []])
  })

  it('tells the ClusterRoles that aggregate others, for as long as they do', () => {
    const aggregating = {
      ...role('whole'),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] },
    }
    const index = rbacOf(aggregating, role('part'), role('payments/whole'))
    const names = () => index.aggregatedRoles().map(({ name }) => name)
    expect(index.clusterRoles().map(({ name }) => name)).to.have.members(['whole', 'part'])
    expect(names()).to.deep.equal(['whole'])
    index.remove('Role', 'payments', 'whole')
    expect(names()).to.deep.equal(['whole'])
    index.upsert('ClusterRole', role('whole'))
    expect(names()).to.deep.equal([])
    index.upsert('ClusterRole', aggregating)
    index.replace('ClusterRole', [role('part')])
    expect(names()).to.deep.equal([])
  })

  it('forgets the subjects that an update has taken away', () => {
    const index = rbacOf(binding('payments/a', 'Role r', 'ServiceAccount api', 'Group devs'))
    index.upsert('RoleBinding', binding('payments/a', 'Role r', 'Group devs'))
    expect(named(index, 'payments')).to.deep.equal([])
    expect(index.namespacesNaming(key)).to.deep.equal([])
    expect(named(index, 'payments', 'Group:devs')).to.deep.equal(['a'])
  })

  it('forgets what is removed, and only that', () => {
    const index = rbacOf(
      binding('payments/a', 'Role r', 'ServiceAccount api'),
      binding('payments/b', 'Role r', 'ServiceAccount api'),
      binding('a', 'ClusterRole r', 'ServiceAccount payments/api'),
      role('payments/r', rule('get pods')),
      role('r', rule('get pods')),
    )
    index.remove('RoleBinding', 'payments', 'a')
    index.remove('Role', 'payments', 'r')
    expect(named(index, 'payments')).to.deep.equal(['b'])
    expect(named(index, '')).to.deep.equal(['a'])
    expect(index.role('payments', 'r')).to.equal(null)
    expect(index.clusterRole('r')).not.to.equal(null)
  })

  it('does not take a RoleBinding without a namespace for a ClusterRoleBinding', () => {
    const index = rbacOf(binding('a', 'ClusterRole r', 'User ana'))
    index.remove('RoleBinding', null, 'a')
    expect(index.clusterRoleBindings()).to.have.lengthOf(1)
  })

  it('replaces one kind and leaves the others', () => {
    const index = rbacOf(
      binding('payments/a', 'Role r', 'ServiceAccount api'),
      binding('a', 'ClusterRole r', 'ServiceAccount payments/api'),
      role('payments/r', rule('get pods')),
    )
    index.replace('RoleBinding', [binding('ci/b', 'Role r', 'ServiceAccount payments/api')])
    expect(index.boundNamespaces()).to.deep.equal(['ci'])
    expect(index.namespacesNaming(key)).to.deep.equal(['ci'])
    expect(named(index, '')).to.deep.equal(['a'])
    index.replace('ClusterRoleBinding', [])
    expect(named(index, '')).to.deep.equal([])
    expect(named(index, 'ci')).to.deep.equal(['b'])
    expect(index.role('payments', 'r')).not.to.equal(null)
  })

  it('changes nothing when one object of a list cannot be read', () => {
    const index = rbacOf(role('r', rule('get pods')))
    const { generation } = index
    expect(() => index.replace('ClusterRole', [role('q'), { metadata: {} }])).to.throw(TypeError, 'metadata.name')
    expect(index.clusterRole('r')).not.to.equal(null)
    expect(index.clusterRole('q')).to.equal(null)
    expect(index.generation).to.equal(generation)
  })

  it('raises its generation with every change, and with no look', () => {
    const index = new RbacIndex()
    const seen = [index.generation]
    const changes = [
      () => index.upsert('ClusterRole', role('r')),
      () => index.upsert('ClusterRoleBinding', binding('b', 'ClusterRole r')),
      () => index.replace('Role', []),
      () => index.remove('ClusterRole', null, 'r'),
      () => index.completeAggregation(),
    ]
    for (const change of changes) {
      change()
      index.bindingsNaming(key, '')
      seen.push(index.generation)
    }
    expect(seen).to.deep.equal([...new Set(seen)].sort((a, b) => a - b))
  })

  it('completes aggregated roles from manifests', () => {
    const index = rbacOf({ ...role('part', rule('get pods')), metadata: { name: 'part', uid: '' } })
    index.upsert('ClusterRole', {
      metadata: { name: 'x' },
      aggregationRule: { clusterRoleSelectors: [{}] },
      rules: null,
    })
    index.completeAggregation()
    expect(index.clusterRole('x')?.rules).to.deep.equal([rule('get pods')])
  })

  it('finds for every subject what a walk over all bindings finds, after any changes', () => {
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 30 }), (history) => {
        const index = new RbacIndex()
        for (const { place, subjects } of history) {
          const [name = '', namespace = null] = place.split('/').toReversed()
          const kind = namespace === null ? 'ClusterRoleBinding' : 'RoleBinding'
          if (subjects === null) index.remove(kind, namespace, name)
          else index.upsert(kind, binding(place, 'ClusterRole r', ...subjects))
        }
        for (const subject of ['User:ana', 'Group:devs', key] as const) {
          for (const namespace of ['', 'n', 'payments']) {
            const all = namespace === '' ? index.clusterRoleBindings() : index.roleBindings(namespace)
            const walked = all.filter((one) => one.subjects.some((each) => subjectKeyOf(each, namespace) === subject))
            expect(index.bindingsNaming(subject, namespace)).to.have.members(walked)
            expect(index.namespacesNaming(subject).includes(namespace)).to.equal(namespace !== '' && walked.length > 0)
          }
        }
      }),
      { seed: 20_260_731, numRuns: 500 },
    )
  })
})

const changes = fc.record({
  place: fc.constantFrom('a', 'b', 'n/a', 'n/b', 'payments/a'),
  subjects: fc.option(fc.subarray(['User ana', 'Group devs', 'ServiceAccount api', 'ServiceAccount payments/api'])),
})
