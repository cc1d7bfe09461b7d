import { expect } from 'chai'

import { serviceAccountUsername } from '../../src/core/identity.ts'
import type { KubeObject } from '../support/admin-api.ts'
import { eventually } from '../support/eventually.ts'
import { guardPolicy, GuardedNamespace } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

describe('B26 an end that comes while we are away', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
  })

  const why =
    'it is possible for whatever ends by itself: clock skew, a controller that is down, a webhook that is down'
  const grantPath = () => `${paths.grants(guarded.name)}/short`
  const mayPatch = async (): Promise<boolean> => {
    const review = await guarded.admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: {
        user: serviceAccountUsername(guarded.name, 'api'),
        resourceAttributes: { namespace: guarded.name, verb: 'patch', group: 'apps', resource: 'deployments' },
      },
    })
    return review['status'].allowed === true
  }
  const grantIs = (what: string, holds: (status: KubeObject) => boolean) =>
    eventually(`the grant is ${what}`, async () => {
      const found = await guarded.admin.get(grantPath())
      return holds(found['status'] ?? {}) ? found : undefined
    })
  const ask = (duration: string) =>
    guarded.admin.create(paths.grants(guarded.name), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name: 'short' },
      spec: {
        policy: { name: guardPolicy },
        subject: { kind: 'ServiceAccount', namespace: guarded.name, name: 'api' },
        permissions: ['rollout'],
        duration,
        reason: 'a test',
      },
    })

  it(`is carried out as the first thing by the next controller, and does not wait for a webhook: ${why}`, async function () {
    this.timeout(120_000)
    const { lapse } = guarded.cluster
    // long enough that it is the next controller that ends it
    await ask('10s')
    const active = await grantIs('Active', ({ state }) => state === 'Active')
    await eventually('the API server allows what it gives', async () => ((await mayPatch()) ? true : undefined))
    await Promise.all([lapse.controller.stop(), lapse.webhook.stop()])
    expect(await mayPatch(), 'when nobody is left to end it').to.equal(true)
    await eventually('its time is over', async () =>
      Date.now() > Date.parse(active['status'].notAfter as string) ? true : undefined,
    )
    await lapse.startController()
    const ended = await grantIs(
      'Expired, and proved to be',
      ({ state, revocation }) => state === 'Expired' && revocation?.verifiedAt !== undefined,
    )
    expect(await mayPatch()).to.equal(false)
    expect(ended['status'].notAfter).to.equal(active['status'].notAfter)
    await lapse.startWebhook()
  })
})
