import { expect } from 'chai'

import { eventually } from '../support/eventually.ts'
import { breach, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'

describe('B10 labels of a namespace', () => {
  const elsewhere =
    'elsewhere a label that the tenant may set took his namespace out of the webhook (Polaris, Gatekeeper)'

  const exemptions: readonly Readonly<Record<string, string>>[] = [
    { 'control-plane': 'controller-manager' },
    { 'admission.gatekeeper.sh/ignore': 'yes' },
    { 'pod-security.kubernetes.io/enforce': 'privileged' },
    { 'lapse.dev/exempt': 'true', 'lapse.dev/ignore': 'true' },
    { 'app.kubernetes.io/name': 'lapse', 'app.kubernetes.io/managed-by': 'Helm' },
  ]
  for (const labels of exemptions)
    it(`exempt nobody: ${Object.keys(labels).join(', ')}: ${elsewhere}`, async () => {
      const guarded = await GuardedNamespace.make(labels)
      expect(await guarded.refused(guarded.create('pods', podOf(breach)))).to.contain('[host-path]')
    })

  it(`cannot make a namespace pass for kube-system: ${elsewhere}`, async () => {
    const guarded = await GuardedNamespace.make()
    const labels = { 'kubernetes.io/metadata.name': 'kube-system' }
    await guarded.admin.patch(`/api/v1/namespaces/${guarded.name}`, { metadata: { labels } }).catch(() => null)
    const found = await guarded.admin.get(`/api/v1/namespaces/${guarded.name}`)
    expect(found.metadata!.labels).to.include({ 'kubernetes.io/metadata.name': guarded.name })
    expect(await guarded.refused(guarded.create('pods', podOf(breach)))).to.contain('[host-path]')
  })

  it('cannot be passed off as those of another namespace: a name that begins like kube-system is no kube-system', async () => {
    const guarded = await GuardedNamespace.make()
    const name = `kube-system-${guarded.name}`
    await guarded.admin.create('/api/v1/namespaces', {
      metadata: { name, labels: { 'example.com/guarded': 'yes' } },
    })
    await guarded.admin.create(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'api' } })
    // the webhook waits for half a second for what it has not heard of yet, and then refuses what it cannot place
    const message = await eventually('the webhook knows namespace and account', async () => {
      const refusal = await guarded.refused(guarded.admin.create(`/api/v1/namespaces/${name}/pods`, podOf(breach)))
      return /\[(namespace|service-account)-missing\]/.test(refusal) ? undefined : refusal
    })
    expect(message).to.contain('[host-path]')
  })

  it('tell whoever takes a namespace out of a policy what that means, and the audit log: elsewhere nobody heard of it', async () => {
    const guarded = await GuardedNamespace.make()
    const { controlPlane } = guarded.cluster
    const { code, stderr } = await controlPlane.kubectl(['label', 'namespace', guarded.name, 'example.com/guarded-'])
    expect(code).to.equal(0)
    expect(stderr)
      .to.contain(`Warning: policy guard@1.0.0 no longer governs ServiceAccounts of namespace ${guarded.name}`)
      .and.contain(`Warning: policy guard@1.0.0 no longer lets grants apply in namespace ${guarded.name} (spec.scope)`)
    const events = await controlPlane.auditEvents(
      ({ objectRef, annotations }) =>
        objectRef?.resource === 'namespaces' &&
        objectRef.name === guarded.name &&
        annotations?.['namespaces.lapse.dev/policies'] !== undefined,
    )
    expect(events.at(-1)?.annotations?.['namespaces.lapse.dev/policies']).to.contain('guard@1.0.0')
  })
  for (const subresource of ['status', 'finalize'])
    it(`tell it by namespaces/${subresource} as well: elsewhere a subresource was the door for labels`, async () => {
      const guarded = await GuardedNamespace.make()
      const path = `/api/v1/namespaces/${guarded.name}`
      const now = await guarded.admin.get(path)
      const { 'example.com/guarded': _, ...labels } = now.metadata!.labels!
      await guarded.admin.replace(`${path}/${subresource}`, { ...now, metadata: { ...now.metadata, labels } })
      const events = await guarded.cluster.controlPlane.auditEvents(
        ({ objectRef, annotations }) =>
          objectRef?.name === guarded.name &&
          objectRef.subresource === subresource &&
          annotations?.['namespaces.lapse.dev/policies'] !== undefined,
      )
      expect(events).to.have.length(1)
    })
})
