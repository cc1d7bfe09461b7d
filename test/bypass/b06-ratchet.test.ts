import { expect } from 'chai'

import {
  breach,
  container,
  deploymentOf,
  GuardedNamespace,
  podOf,
  privileged,
  securityContext,
} from '../support/guarded-cluster.ts'

describe('B6 what broke the policy before it was in force', () => {
  let guarded: GuardedNamespace
  beforeEach(async () => {
    guarded = await GuardedNamespace.make()
  })

  const blocked = 'elsewhere unrelated updates of old breaches were blocked (kyverno 8837, 9044)'
  const skipped = 'elsewhere an old breach was never judged again (kyverno 2435)'
  const deployment = () => guarded.path('apps/v1/deployments', 'api')
  const pod = () => guarded.path('pods', 'api')
  const join = (added: object) =>
    guarded.admin.patch(`${pod()}/ephemeralcontainers`, { spec: { ephemeralContainers: [added] } }, 'strategic')
  const debug = { name: 'debug', image: 'registry.example/debug:1', securityContext }

  it(`may be scaled, labelled and paused: ${blocked}`, async () => {
    await guarded.oldBreach('apps/v1/deployments', deploymentOf(breach))
    await guarded.admin.patch(`${deployment()}/scale`, { spec: { replicas: 0 } })
    await guarded.admin.patch(deployment(), { metadata: { labels: { a: 'b' } }, spec: { paused: true } })
    await guarded.admin.patch(`${deployment()}/status`, { status: { observedGeneration: 9 } })
  })

  it(`is refused with a changed template, and says that it was so before: ${skipped}`, async () => {
    await guarded.oldBreach('apps/v1/deployments', deploymentOf(breach))
    const annotations = { 'kubectl.kubernetes.io/restartedAt': 'now' }
    const message = await guarded.refused(
      guarded.admin.patch(deployment(), { spec: { template: { metadata: { annotations } } } }),
    )
    expect(message)
      .to.contain('[host-path]')
      .and.contain('1 of these was there before: new Pods are refused for it with this change or without')
  })

  it(`may be mended: ${blocked}`, async () => {
    await guarded.oldBreach('apps/v1/deployments', deploymentOf(breach))
    await guarded.admin.patch(deployment(), { spec: { template: { spec: { volumes: null } } } })
  })

  it(`does not keep a good container out of a running Pod that has a bad one: ${blocked}`, async () => {
    await guarded.oldBreach('pods', podOf({ containers: [container, privileged] }))
    await guarded.admin.patch(pod(), { metadata: { annotations: { note: 'x' } } })
    await join(debug)
  })

  it(`keeps a bad container out of a running Pod that has a bad one: ${skipped}`, async () => {
    await guarded.oldBreach('pods', podOf({ containers: [container, privileged] }))
    const message = await guarded.refused(join({ ...debug, securityContext: { privileged: true } }))
    expect(message).to.contain('spec.ephemeralContainers[0]').and.not.to.contain('spec.containers[1]')
  })

  it(`keeps every container out of a running Pod whose breach it would share: ${skipped}`, async () => {
    await guarded.oldBreach('pods', podOf(breach))
    expect(await guarded.refused(join(debug))).to.contain('[host-path]')
  })

  it(`is judged anew with another image, for that is another program: ${skipped}`, async () => {
    await guarded.oldBreach('pods', podOf({ containers: [container, privileged] }))
    const image = [{ op: 'replace', path: '/spec/containers/1/image', value: 'registry.example/other:1' }]
    expect(await guarded.refused(guarded.admin.patch(pod(), image, 'json'))).to.contain('[privileged]')
  })
})
