import { expect } from 'chai'

import type { KubeObject } from '../support/admin-api.ts'
import { eventually } from '../support/eventually.ts'
import { guardPolicyOf, GuardedNamespace } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

const rule = (apiGroup: string, resource: string, ...verbs: readonly string[]): KubeObject => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs,
})

describe('B25 access that outlives the grant', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
  })

  const why = 'it is possible wherever access for a time can make access for good (enj in openshift/origin 20449)'
  const rbac = 'rbac.authorization.k8s.io'

  const handing: readonly (readonly [what: string, rule: KubeObject])[] = [
    ['tokens of accounts', rule('', 'serviceaccounts/token', 'create')],
    ['Secrets, which may ask for a token', rule('', 'secrets', 'create')],
    ['bindings', rule(rbac, 'rolebindings', 'create')],
    ['bindings, by changing them', rule(rbac, 'rolebindings', 'patch')],
    ['roles', rule(rbac, 'roles', 'update')],
    ['the verb bind', rule(rbac, 'clusterroles', 'bind')],
    ['the verb escalate', rule(rbac, 'roles', 'escalate')],
    ['impersonation', rule('', 'serviceaccounts', 'impersonate')],
    ['the record of a grant', rule('lapse.dev', 'nhigrants/status', 'patch')],
    ['the policy itself', rule('lapse.dev', 'accesspolicies', 'update')],
    ['everything', rule('*', '*', '*')],
  ]
  for (const [what, each] of handing)
    it(`is in no policy: ${what}: ${why}`, async () => {
      const permissions = [{ name: 'more', rules: [each] }]
      const policy = guardPolicyOf({ permissions }, `more-${guarded.name}`)
      const message = await guarded.refused(guarded.admin.create(`${paths.policies}?dryRun=All`, policy))
      expect(message).to.contain('[hands-on-access] spec.permissions[0]')
    })

  it(`is in no grant by a ClusterRole that an admin lets be bound: what it hands on is found: ${why}`, async () => {
    await guarded.admin.create(paths.clusterRoles, {
      metadata: { name: 'view-logs-test' },
      rules: [rule('', 'serviceaccounts/token', 'create')],
    })
    const name = `bindable-${guarded.name}`
    const permissions = [{ name: 'logs', clusterRole: 'view-logs-test' }]
    await guarded.admin.create(paths.policies, guardPolicyOf({ permissions }, name))
    const grant: KubeObject = {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name: 'logs' },
      spec: {
        policy: { name },
        subject: { kind: 'ServiceAccount', namespace: guarded.name, name: 'api' },
        permissions: ['logs'],
        duration: '10m',
        reason: 'a test',
      },
    }
    const message = await eventually('the webhook knows policy and role', async () => {
      const refusal = await guarded.refused(guarded.admin.create(paths.grants(guarded.name), grant))
      return refusal.includes('policy-missing') || refusal.includes('permission-unknown') ? undefined : refusal
    })
    expect(message).to.contain('[hands-on-access] spec.permissions[0]').and.contain('create serviceaccounts/token')
  })
})
