import { expect } from 'chai'

import { serviceAccountUsername } from '../../src/core/identity.ts'
import type { KubeObject } from '../support/admin-api.ts'
import { eventually } from '../support/eventually.ts'
import { guardPolicyOf, GuardedNamespace } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

const secret = (name: string): KubeObject => ({
  metadata: { name: 'token', annotations: { 'kubernetes.io/service-account.name': name } },
  type: 'kubernetes.io/service-account-token',
})

describe('B30 other things than Pods that carry an identity', () => {
  let guarded: GuardedNamespace
  const why = 'it is possible wherever only workloads are looked at'
  const rbac = 'rbac.authorization.k8s.io'

  const bind = (name: string, subject: KubeObject, query = ''): Promise<KubeObject> =>
    guarded.admin.create(paths.roleBindings(guarded.name) + query, {
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'reader' },
      subjects: [subject],
    })
  const account = () => ({ kind: 'ServiceAccount', namespace: guarded.name, name: 'api' })

  before(async () => {
    guarded = await GuardedNamespace.make()
    const { admin, name } = guarded
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } }
    const only = { scope: undefined, permissions: undefined, grants: undefined }
    const subjects = [{ kind: 'ServiceAccount', namespaceSelector, names: ['api'] }]
    const workloads = { standing: [] }
    await admin.create(paths.policies, guardPolicyOf({ ...only, subjects, workloads }, `standing-${name}`))
    await admin.create(paths.roles(name), {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }],
    })
    await eventually('the policy is in force', async () => {
      const outcome = await bind('probe', account(), '?dryRun=All').catch((error: Error) => error.message)
      return (typeof outcome === 'string' && outcome.includes('[standing-access]')) || undefined
    })
  })

  const bound: readonly (readonly [what: string, subject: () => KubeObject])[] = [
    ['the account', account],
    ['a User of its name', () => ({ apiGroup: rbac, kind: 'User', name: serviceAccountUsername(guarded.name, 'api') })],
    [
      'all accounts of its namespace',
      () => ({ apiGroup: rbac, kind: 'Group', name: `system:serviceaccounts:${guarded.name}` }),
    ],
    ['all accounts', () => ({ apiGroup: rbac, kind: 'Group', name: 'system:serviceaccounts' })],
    ['everybody', () => ({ apiGroup: rbac, kind: 'Group', name: 'system:authenticated' })],
  ]
  for (const [what, subject] of bound)
    it(`are refused: a binding of ${what}: ${why}`, async () => {
      expect(await guarded.refused(bind('mine', subject()))).to.contain('[standing-access]')
    })

  it(`are refused: a Secret that the cluster fills with a token without end: ${why}`, async () => {
    expect(await guarded.refused(guarded.create('secrets', secret('api')))).to.contain('[token-secret]')
    await guarded.create('secrets', secret('default'))
  })

  it(`are told: the identity of a cloud on an account: ${why}`, async () => {
    const { controlPlane } = guarded.cluster
    const role = 'eks.amazonaws.com/role-arn=arn:aws:iam::111122223333:role/admin'
    const target = ['annotate', 'serviceaccount', 'api', role, '-n', guarded.name]
    const { code, stderr } = await controlPlane.kubectl(target)
    expect(code).to.equal(0)
    expect(stderr).to.contain('Warning: [cloud-identity]')
  })

  it(`are told: an account that is taken out of a policy by its labels: ${why}`, async () => {
    const { admin, name, cluster } = guarded
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': name } }
    const subjects = [{ kind: 'ServiceAccount', namespaceSelector, selector: { matchLabels: { held: 'yes' } } }]
    const only = { scope: undefined, permissions: undefined, grants: undefined }
    await admin.create(paths.serviceAccounts(name), { metadata: { name: 'held', labels: { held: 'yes' } } })
    await admin.create(paths.policies, guardPolicyOf({ ...only, subjects }, `by-label-${name}`))
    await eventually('the label change is told', async () => {
      const target = ['label', 'serviceaccount', 'held', 'held-', '-n', name, '--dry-run=server']
      const { stderr } = await cluster.controlPlane.kubectl(target)
      return stderr.includes(`policy by-label-${name}@1.0.0`) || undefined
    })
  })
})
