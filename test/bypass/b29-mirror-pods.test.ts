import { expect } from 'chai'

import { eventually } from '../support/eventually.ts'
import { breach, guardPolicyOf, GuardedNamespace, podSpec } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

/** Static Pods never pass admission: the kubelet starts them from files. What passes is their mirror. */
describe('B29 static and mirror Pods', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': guarded.name } }
    const subjects = [{ kind: 'ServiceAccount', namespaceSelector, names: ['default'] }]
    const only = { scope: undefined, permissions: undefined, grants: undefined }
    const policy = guardPolicyOf(
      { subjects, ...only, workloads: { podSecurity: { level: 'baseline' } } },
      `default-${guarded.name}`,
    )
    await guarded.admin.create(paths.policies, policy)
  })

  const elsewhere = 'elsewhere the annotation of a mirror Pod was taken for a proof that the kubelet runs it anyway'

  it(`are judged like any other Pod, whoever claims to write a mirror: ${elsewhere}`, async () => {
    const metadata = { name: 'mirror', annotations: { 'kubernetes.io/config.mirror': 'abc' } }
    const { serviceAccountName: _, ...spec } = podSpec({ ...breach, nodeName: 'node-1' })
    await eventually('the policy is in force', async () => {
      const outcome = await guarded.create('pods', { metadata, spec }).catch((error: Error) => error.message)
      return (typeof outcome === 'string' && outcome.includes('denied by lapse')) || undefined
    })
    const message = await guarded.refused(guarded.create('pods', { metadata, spec }))
    expect(message).to.contain('[host-path]')
  })
})
