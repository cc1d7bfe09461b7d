import { expect } from 'chai'

import { breach, deploymentOf, GuardedNamespace } from '../support/guarded-cluster.ts'
import { getOrNull } from '../support/scene.ts'

describe('B5 an object that is being deleted', () => {
  let guarded: GuardedNamespace
  beforeEach(async () => {
    guarded = await GuardedNamespace.make()
  })

  const held = { name: 'api', finalizers: ['example.com/hold'] }
  const path = () => guarded.path('apps/v1/deployments', 'api')
  const isBeingDeleted = async () => (await guarded.admin.get(path())).metadata!['deletionTimestamp']

  it('is let go by its last finalizer, whatever it breaks: elsewhere the check held it back (kyverno 8815)', async () => {
    await guarded.oldBreach('apps/v1/deployments', { ...deploymentOf(breach), metadata: held })
    await guarded.admin.delete(path())
    expect(await isBeingDeleted()).to.be.a('string')
    await guarded.admin.patch(path(), { metadata: { finalizers: null } })
    expect(await getOrNull(guarded.admin, path())).to.equal(null)
  })

  it('is judged when its template changes: elsewhere whatever was being deleted was let through (CVE-2023-34091)', async () => {
    await guarded.create('apps/v1/deployments', { ...deploymentOf(), metadata: held })
    await guarded.admin.delete(path())
    expect(await isBeingDeleted()).to.be.a('string')
    const change = { spec: { template: { spec: breach } } }
    expect(await guarded.refused(guarded.admin.patch(path(), change))).to.contain('[host-path]')
  })

  it('cannot be made out to be deleted by its author: the API server alone sets deletionTimestamp', async () => {
    const metadata = { name: 'api', deletionTimestamp: '2020-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }
    const write = guarded.create('apps/v1/deployments', { ...deploymentOf(breach), metadata })
    expect(await guarded.refused(write)).to.contain('[host-path]')
  })
})
