import { expect } from 'chai'
import { loadAll } from 'js-yaml'

import type { KubeObject } from '../support/admin-api.ts'
import { callWebhook } from '../support/direct-call.ts'
import { breach, guardedCluster, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'
import { chartPath } from '../support/installation.ts'
import { paths } from '../support/scene.ts'
import { grant, pod } from '../webhook/objects.ts'
import { reviewOf } from '../webhook/requests.ts'

describe('B23 calls of the webhook by others than the API server', () => {
  const elsewhere =
    'elsewhere any pod could ask and flood the webhook, for no NetworkPolicy came with it (Kyverno security.md)'

  it(`change nothing: a verdict is all that there is to have: ${elsewhere}`, async () => {
    const { admin, lapse } = await guardedCluster()
    const grants = async () =>
      (await admin.list('/apis/lapse.dev/v1alpha1/nhigrants')).map(({ metadata }) => metadata!.uid)
    const before = await grants()
    for (const [path, object] of [
      ['/v1/admit/lapse', grant()],
      ['/v1/mutate', grant()],
      ['/v1/admit/workloads', pod()],
    ] as const) {
      const { status, text } = await callWebhook(lapse.webhook, path, JSON.stringify(reviewOf(object)))
      expect(status).to.equal(200)
      expect(text).to.contain('"AdmissionReview"')
    }
    expect(await grants()).to.deep.equal(before)
    expect(await admin.list(paths.grants('payments'))).to.deep.equal([])
  })

  it('do not hold up those of the API server: 200 at once, and a review is answered still', async () => {
    const guarded = await GuardedNamespace.make()
    const { webhook } = guarded.cluster.lapse
    const body = JSON.stringify(reviewOf(pod()))
    const flood = Array.from({ length: 200 }, () => callWebhook(webhook, '/v1/admit/workloads', body))
    // the API server itself says that it has waited in vain, after five seconds
    expect(await guarded.refused(guarded.create('pods', podOf(breach), '?dryRun=All'))).to.contain('[host-path]')
    expect((await callWebhook(webhook, '/v1/admit/workloads', body)).status).to.equal(200)
    for (const answer of await Promise.all(flood)) expect(answer.status).to.equal(200)
  })

  it(`find no pod of ours that talks to anybody but the API server, with the chart's NetworkPolicy: ${elsewhere}`, async () => {
    const { controlPlane } = await guardedCluster()
    const values = JSON.stringify({ networkPolicy: { enabled: true } })
    const args = ['template', 'lapse', chartPath, '--namespace', 'lapse-system', '--values', '-']
    const { stdout } = await controlPlane.helm(args, { input: values })
    const policies = (loadAll(stdout) as readonly (KubeObject | null)[]).filter(
      (each) => each?.kind === 'NetworkPolicy',
    )
    const all = policies.find((policy) => policy?.metadata?.name === 'lapse')!
    expect(all['spec'].policyTypes).to.have.members(['Ingress', 'Egress'])
    expect(all['spec'].ingress).to.equal(undefined)
    expect(all['spec'].egress).to.deep.equal([{ ports: [443, 6443].map((port) => ({ port, protocol: 'TCP' })) }])
  })
})
