import { expect } from 'chai'

import { breach, deploymentOf, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'

describe('B11 marks on the workload itself', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
  })

  const elsewhere = 'elsewhere an annotation on a workload exempted it from the check that judged it (Polaris)'

  const marks: readonly (readonly [what: string, metadata: object])[] = [
    ['another engine’s exemption', { annotations: { 'polaris.fairwinds.com/exempt': 'true' } }],
    ['an exemption in our own name', { annotations: { 'lapse.dev/exempt': 'true', 'lapse.dev/waive': 'host-path' } }],
    ['the label of what the operator makes', { labels: { 'lapse.dev/managed-by': 'lapse' } }],
    ['the label of what carries a grant', { labels: { 'lapse.dev/grant-uid': 'x' } }],
    ['the label of the operator’s own pods', { labels: { 'app.kubernetes.io/name': 'lapse' } }],
    ['a pin to the version in force', { annotations: { 'lapse.dev/policy': 'guard@1.0.0' } }],
    ['the mark of a mirror Pod', { annotations: { 'kubernetes.io/config.source': 'file' } }],
  ]
  for (const [what, metadata] of marks)
    it(`do not count: ${what}: ${elsewhere}`, async () => {
      const pod = guarded.create('pods', { ...podOf(breach), metadata: { name: 'api', ...metadata } })
      expect(await guarded.refused(pod)).to.contain('[host-path]')
      const deployment = deploymentOf(breach)
      const outer = { ...deployment, metadata: { name: 'api', ...metadata } }
      expect(await guarded.refused(guarded.create('apps/v1/deployments', outer))).to.contain('[host-path]')
    })
})
