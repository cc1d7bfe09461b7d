import { expect } from 'chai'
import * as fc from 'fast-check'
import { authorize, describeProvenance } from '../../../src/core/rbac/authorize.ts'
import { subjectKeysOf } from '../../../src/core/rbac/subject.ts'
import { whoCan, type Holder } from '../../../src/core/rbac/who-can.ts'
import { indexOf, objects, requests, users } from '../../support/cluster-arbitraries.ts'
import { binding, rbacOf, request, role, rule } from './rbac-of.ts'

function told(holders: readonly Holder[]): readonly string[] {
  return holders.map(({ key, by }) => `${key} by ${describeProvenance(by)}`)
}

const superUsers = 'Group:system:masters by group system:masters'

describe('whoCan', () => {
  const view = rbacOf(
    role('reader', rule('list secrets')),
    role('payments/own', rule('get secrets', 'tls')),
    role('metrics', rule('get /metrics')),
    binding('everywhere', 'ClusterRole reader', 'Group auditors', 'ServiceAccount lost'),
    binding('payments/here', 'ClusterRole reader', 'ServiceAccount api', 'User ana'),
    binding('payments/one', 'Role own', 'ServiceAccount ci/deployer'),
    binding('payments/gone', 'Role gone', 'User bob'),
    binding('shop/there', 'ClusterRole reader', 'User carl'),
    binding('metrics', 'ClusterRole metrics', 'User prometheus'),
  )

  it('lists those of ClusterRoleBindings, then those of the namespace, with what gives it to each', () => {
    expect(told(whoCan(request('list secrets', 'payments'), view))).to.deep.equal([
      superUsers,
      'Group:auditors by ClusterRoleBinding everywhere → ClusterRole reader',
      'null by ClusterRoleBinding everywhere → ClusterRole reader',
      'User:system:serviceaccount:payments:api by RoleBinding payments/here → ClusterRole reader',
      'User:ana by RoleBinding payments/here → ClusterRole reader',
    ])
  })

  it('counts only ClusterRoleBindings when all namespaces are asked for at once', () => {
    expect(told(whoCan(request('list secrets'), view)).slice(1)).to.deep.equal([
      'Group:auditors by ClusterRoleBinding everywhere → ClusterRole reader',
      'null by ClusterRoleBinding everywhere → ClusterRole reader',
    ])
  })

  it('tells one object from another', () => {
    expect(told(whoCan(request('get secrets', 'payments', 'smtp'), view))).to.deep.equal([superUsers])
    expect(told(whoCan(request('get secrets', 'payments', 'tls'), view))).to.deep.equal([
      superUsers,
      'User:system:serviceaccount:ci:deployer by RoleBinding payments/one → Role own',
    ])
  })

  it('knows paths that are no resources', () => {
    expect(told(whoCan(request('get /metrics'), view))).to.deep.equal([
      superUsers,
      'User:prometheus by ClusterRoleBinding metrics → ClusterRole metrics',
    ])
  })

  it('names a user or one of its groups exactly when the authorizer allows the request', () => {
    const agree = fc.property(objects, users, requests, (all, user, asked) => {
      const index = indexOf(all)
      const keys: readonly string[] = subjectKeysOf(user)
      for (const one of asked) {
        const named = whoCan(one, index).some(({ key }) => key !== null && keys.includes(key))
        expect(named).to.equal(authorize(user, one, index).allowed)
      }
    })
    fc.assert(agree, { seed: 20_360, numRuns: 200 })
  })
})
