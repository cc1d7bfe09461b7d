import { expect } from 'chai'

import { breach, deploymentOf, everyKind, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'
import type { KubeObject } from '../support/admin-api.ts'

describe('B4 a good object that an update makes bad', () => {
  let guarded: GuardedNamespace
  beforeEach(async () => {
    guarded = await GuardedNamespace.make()
  })

  const elsewhere = 'it was possible where only CREATE was judged'
  // the template of a Job cannot be changed, and that of a Pod is the Pod
  const templates = Object.keys(everyKind()).filter((resource) => !['pods', 'batch/v1/jobs'].includes(resource))

  for (const resource of templates)
    it(`refuses another template in ${resource}: ${elsewhere}`, async () => {
      await guarded.create(resource, everyKind()[resource]!)
      const bad = everyKind(breach)[resource]!
      const change = resource === 'podtemplates' ? { template: bad['template'] } : { spec: bad['spec'] }
      expect(await guarded.refused(guarded.admin.patch(guarded.path(resource, 'api'), change))).to.contain(
        '[host-path]',
      )
    })

  const deployment = () => guarded.path('apps/v1/deployments', 'api')

  it(`refuses the governed account for a template that was made for another: ${elsewhere}`, async () => {
    await guarded.create('apps/v1/deployments', deploymentOf({ ...breach, serviceAccountName: 'default' }))
    const change = { spec: { template: { spec: { serviceAccountName: 'api' } } } }
    expect(await guarded.refused(guarded.admin.patch(deployment(), change))).to.contain('[host-path]')
  })

  it(`refuses the governed account by its deprecated alias: ${elsewhere}`, async () => {
    await guarded.create('apps/v1/deployments', deploymentOf({ ...breach, serviceAccountName: 'default' }))
    const names = [
      { op: 'add', path: '/spec/template/spec/serviceAccountName', value: '' },
      { op: 'add', path: '/spec/template/spec/serviceAccount', value: 'api' },
    ]
    expect(await guarded.refused(guarded.admin.patch(deployment(), names, 'json'))).to.contain('[host-path]')
  })

  it(`refuses a pin that names no version on record, put on a running Pod: ${elsewhere}`, async () => {
    await guarded.create('pods', podOf())
    const change = { metadata: { annotations: { 'lapse.dev/policy': 'guard@0.0.1' } } }
    expect(await guarded.refused(guarded.admin.patch(guarded.path('pods', 'api'), change))).to.contain('[pin-stale]')
  })

  it('leaves labels, annotations, scale and status writable', async () => {
    await guarded.create('apps/v1/deployments', deploymentOf())
    const object: KubeObject = { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec: { replicas: 2 } }
    await guarded.admin.patch(deployment(), object)
    await guarded.admin.patch(`${deployment()}/scale`, { spec: { replicas: 1 } })
    await guarded.admin.patch(`${deployment()}/status`, { status: { replicas: 1 } })
    expect((await guarded.admin.get(deployment()))['spec'].replicas).to.equal(1)
  })
})
