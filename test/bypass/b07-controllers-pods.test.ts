import { expect } from 'chai'

import { breach, deploymentOf, everyKind, GuardedNamespace } from '../support/guarded-cluster.ts'
import { eventually } from '../support/eventually.ts'
import type { KubeObject } from '../support/admin-api.ts'

describe('B7 Pods that a controller makes', () => {
  let guarded: GuardedNamespace
  beforeEach(async () => {
    guarded = await GuardedNamespace.make()
  })

  const elsewhere = 'elsewhere the refusal landed on a ReplicaSet, and who had applied the Deployment saw none'

  for (const resource of Object.keys(everyKind()))
    it(`tells the author of ${resource}: ${elsewhere}`, async () => {
      const message = await guarded.refused(guarded.create(resource, everyKind(breach)[resource]!))
      expect(message).to.match(/\[host-path\] +(spec\.|template\.)/)
      await guarded.create(resource, everyKind()[resource]!, '?dryRun=All')
    })

  it('refuses the Pods of a template that was there before the policy, and its owner says so', async () => {
    await guarded.oldBreach('apps/v1/deployments', deploymentOf(breach))
    await guarded.admin.patch(`${guarded.path('apps/v1/deployments', 'api')}/scale`, { spec: { replicas: 1 } })
    const message = await eventually('the Deployment says that its Pod was refused', async () => {
      const deployment = await guarded.admin.get(guarded.path('apps/v1/deployments', 'api'))
      const conditions = (deployment['status']?.conditions ?? []) as readonly KubeObject[]
      // by its ReplicaSet when that was there before the policy, and by the ReplicaSet's own refusal when it came later
      return conditions
        .map((condition) => condition['message'] as string)
        .find((each) => each.includes('denied by lapse'))
    })
    expect(message).to.match(/\[host-path\] spec\.(template\.spec\.)?volumes\[0\]/)
  })

  it('judges a Pod by itself, whatever its ownerReferences say: elsewhere owned Pods were taken for judged', async () => {
    const owner = await guarded.create('apps/v1/replicasets', everyKind()['apps/v1/replicasets']!)
    const { uid } = owner.metadata!
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'api', uid, controller: true }]
    const pod = everyKind(breach)['pods']!
    const write = guarded.create('pods', {
      ...pod,
      metadata: { name: 'owned', labels: { app: 'api' }, ownerReferences },
    })
    expect(await guarded.refused(write)).to.contain('[host-path]')
  })

  it('judges a Pod that has no name yet: elsewhere a missing name was an error, and errors were let through', async () => {
    const write = guarded.create('pods', { ...everyKind(breach)['pods']!, metadata: { generateName: 'api-' } })
    expect(await guarded.refused(write))
      .to.contain(`Pod ${guarded.name}/api-`)
      .and.contain('[host-path]')
  })
})
