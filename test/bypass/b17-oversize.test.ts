import { expect } from 'chai'

import { callWebhook } from '../support/direct-call.ts'
import { breach, container, deploymentOf, GuardedNamespace } from '../support/guarded-cluster.ts'
import { reviewOf, type RawObject } from '../webhook/requests.ts'

/** So many bytes of environment in one container. */
const filled = (bytes: number) => ({
  containers: [{ ...container, env: [{ name: 'FILL', value: 'x'.repeat(bytes) }] }],
})

describe('B17 objects that are very large', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
  })

  const elsewhere =
    'elsewhere a review beyond the body limit of 2 or 4 MB could not be read (antrea, Pepr, datadog-agent 54931)'

  it(`are judged up to what etcd takes: ${elsewhere}`, async () => {
    const size = 1_400_000
    await guarded.create('apps/v1/deployments', deploymentOf(filled(size)))
    const change = { spec: { template: { spec: breach } } }
    const write = guarded.admin.patch(guarded.path('apps/v1/deployments', 'api'), change)
    expect(await guarded.refused(write)).to.contain('[host-path]')
  })

  const direct = (object: RawObject, oldObject: RawObject) => {
    const placed = (each: RawObject) => ({ ...each, metadata: { ...each.metadata, namespace: guarded.name } })
    const review = JSON.stringify(reviewOf(placed(object), { oldObject: placed(oldObject) }))
    return callWebhook(guarded.cluster.lapse.webhook, '/v1/admit/workloads', review)
  }

  it(`are judged with 3 MB before and 3 MB after: ${elsewhere}`, async () => {
    const size = 3_000_000
    const before = deploymentOf(filled(size)) as RawObject
    const { status, text } = await direct(deploymentOf({ ...filled(size), ...breach }) as RawObject, before)
    expect(status).to.equal(200)
    const { response } = JSON.parse(text) as { response: { allowed: boolean; status: { message: string } } }
    expect(response.allowed).to.equal(false)
    expect(response.status.message).to.contain('[host-path]')
  })

  it(`are refused beyond the limit, in JSON and without being read: ${elsewhere}`, async () => {
    const headers = { 'content-type': 'application/json', 'content-length': '8000000' }
    const { webhook } = guarded.cluster.lapse
    const { status, type, text } = await callWebhook(webhook, '/v1/admit/workloads', '{', { headers })
    expect(status).to.equal(413)
    expect(type).to.equal('application/json')
    expect(JSON.parse(text)).to.include({ kind: 'Status', status: 'Failure', reason: 'RequestEntityTooLarge' })
  })
})
