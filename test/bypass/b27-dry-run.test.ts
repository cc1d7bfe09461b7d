import { expect } from 'chai'

import type { KubeObject } from '../support/admin-api.ts'
import { breach, deploymentOf, guardPolicy, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { getOrNull, paths } from '../support/scene.ts'

describe('B27 dry runs', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
  })

  const elsewhere = 'elsewhere a diff of a GitOps tool consumed what it only looked at, or was judged otherwise'
  const grant = (name: string): KubeObject => ({
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { name },
    spec: {
      policy: { name: guardPolicy },
      subject: { kind: 'ServiceAccount', namespace: guarded.name, name: 'api' },
      permissions: ['rollout'],
      duration: '10m',
      reason: 'a test',
    },
  })

  it(`have the answer of the real request: ${elsewhere}`, async () => {
    const dry = await guarded.refused(guarded.create('pods', podOf(breach), '?dryRun=All'))
    expect(dry).to.equal(await guarded.refused(guarded.create('pods', podOf(breach))))
  })

  it(`leave no grant, no event and no access, and count for nothing: ${elsewhere}`, async () => {
    // ten may be active at a time under this policy
    for (let round = 0; round < 15; round++)
      await guarded.admin.create(`${paths.grants(guarded.name)}?dryRun=All`, grant(`dry-${round}`))
    await guarded.admin.create(paths.grants(guarded.name), grant('real'))
    await eventually('the real one is Active', async () => {
      const found = await guarded.admin.get(`${paths.grants(guarded.name)}/real`)
      return found['status']?.state === 'Active' ? found : undefined
    })
    const grants = await guarded.admin.list(paths.grants(guarded.name))
    expect(grants.map(({ metadata }) => metadata!.name)).to.deep.equal(['real'])
    expect(await guarded.admin.list(paths.roleBindings(guarded.name))).to.have.length(1)
    const events = await guarded.admin.list(`/apis/events.k8s.io/v1/namespaces/${guarded.name}/events`)
    expect(events.filter(({ regarding }) => (regarding.name as string).startsWith('dry-'))).to.deep.equal([])
  })

  it(`of an update and of a removal leave what is there: ${elsewhere}`, async () => {
    await guarded.create('apps/v1/deployments', deploymentOf())
    const path = guarded.path('apps/v1/deployments', 'api')
    await guarded.refused(guarded.admin.patch(`${path}?dryRun=All`, { spec: { template: { spec: breach } } }))
    await guarded.admin.delete(`${path}?dryRun=All`)
    expect(await getOrNull(guarded.admin, path)).not.to.equal(null)
  })
})
