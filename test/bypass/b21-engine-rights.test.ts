import { expect } from 'chai'

import type { KubeObject } from '../support/admin-api.ts'
import { guardPolicy, GuardedNamespace } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'
import { untilAllowed } from '../support/until-allowed.ts'

describe('B21 the rights of the engine itself', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
  })

  const elsewhere =
    'elsewhere a policy of a tenant made the engine read or ask with its own token (CVE-2026-22039, CVE-2026-42541)'
  const tenant = { user: 'mallory', groups: ['system:authenticated'] }
  const grantOf = (spec: object = {}): KubeObject => ({
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { name: 'mine' },
    spec: {
      policy: { name: guardPolicy },
      subject: { kind: 'ServiceAccount', namespace: guarded.name, name: 'api' },
      permissions: ['rollout'],
      duration: '10m',
      reason: 'a test',
      ...spec,
    },
  })

  before(async () => {
    await guarded.admin.create(paths.roles(guarded.name), {
      metadata: { name: 'asker' },
      rules: [{ apiGroups: ['lapse.dev'], resources: ['nhigrants'], verbs: ['create', 'get', 'update', 'patch'] }],
    })
    await guarded.admin.create(paths.roleBindings(guarded.name), {
      metadata: { name: 'asker' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'asker' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'mallory' }],
    })
    const resourceAttributes = { namespace: guarded.name, verb: 'create', group: 'lapse.dev', resource: 'nhigrants' }
    await untilAllowed(guarded.admin, tenant, resourceAttributes)
  })

  it(`are not lent to whoever may create grants: the policy says who may ask: ${elsewhere}`, async () => {
    const write = guarded.admin.as(tenant).create(paths.grants(guarded.name), grantOf())
    expect(await guarded.refused(write))
      .to.contain('[requester-not-allowed]')
      .and.contain('mallory')
  })

  it(`are not lent to whoever says that somebody else asks: ${elsewhere}`, async () => {
    const write = guarded.admin.as(tenant).create(paths.grants(guarded.name), grantOf({ requestedBy: 'admin' }))
    expect(await guarded.refused(write))
      .to.contain('[requester-not-allowed]')
      .and.contain('mallory')
  })

  it(`do not reach beyond the policy, whatever the operator itself may do: ${elsewhere}`, async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
    const write = guarded.admin.create(paths.grants(guarded.name), grantOf({ rules }))
    expect(await guarded.refused(write)).to.contain('[beyond-ceiling]')
  })

  it(`are only to read, and to read no Secret: the webhook can neither ask about access nor make a token: ${elsewhere}`, async () => {
    const { rules } = await guarded.admin.get(`${paths.clusterRoles}/lapse-webhook`)
    for (const { verbs, resources } of rules as readonly { verbs: string[]; resources: string[] }[]) {
      expect(verbs).to.have.members(['get', 'list', 'watch'])
      expect(resources).not.to.include.oneOf(['secrets', 'serviceaccounts/token', '*'])
    }
  })
})
