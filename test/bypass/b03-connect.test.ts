import { expect } from 'chai'

import { readAdmissionReview } from '../../src/webhook/admission-review.ts'
import { webhooks } from '../../src/webhook/webhooks.ts'
import type { KubeObject } from '../support/admin-api.ts'
import { GuardedNamespace, podOf } from '../support/guarded-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { paths } from '../support/scene.ts'
import { judge, worldOf } from '../webhook/requests.ts'

/** Who may exec is a matter of access: it is judged where it is held and where it is granted, not when it is used. */
describe('B3 exec, attach and portforward', () => {
  const elsewhere = 'elsewhere CONNECT passed unseen while nobody judged who may connect'

  it(`is refused to a workload whose account may exec, if its policy forbids it: ${elsewhere}`, async () => {
    const guarded = await GuardedNamespace.make()
    const { admin, name } = guarded
    const policy = await admin.get(`${paths.policies}/guard`)
    const forbidsExec = {
      ...policy['spec'],
      subjects: [
        {
          kind: 'ServiceAccount',
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
          names: ['api'],
        },
      ],
      workloads: { forbid: ['exec'] },
    }
    await admin.create(paths.policies, {
      ...policy,
      metadata: { name: `exec-${name}` },
      spec: forbidsExec,
      status: undefined,
    })
    const rules = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create'] }]
    await admin.create(paths.roles(name), { metadata: { name: 'exec' }, rules })
    await admin.create(paths.roleBindings(name), {
      metadata: { name: 'exec' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'exec' },
      subjects: [{ kind: 'ServiceAccount', namespace: name, name: 'api' }],
    })
    await eventually('the webhook knows of policy and binding', async () => {
      const refusal = await guarded.create('pods', podOf(), '?dryRun=All').then(
        () => '',
        (error: Error) => error.message,
      )
      return refusal.includes('[exec]') || undefined
    })
  })

  it('is no request that the webhook is asked about, and one that it is sent all the same is refused', async () => {
    const { admin } = await GuardedNamespace.make()
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/lapse'
    const rules = (await admin.get(path))['webhooks'].flatMap((webhook: KubeObject) => webhook['rules'])
    expect(rules.flatMap((rule: KubeObject) => rule['operations'])).not.to.include.members(['CONNECT'])
    const reading = readAdmissionReview({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: 'u',
        kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
        subResource: 'exec',
        operation: 'CONNECT',
        namespace: 'payments',
        name: 'api',
        userInfo: { username: 'ana' },
        object: { apiVersion: 'v1', kind: 'PodExecOptions' },
      },
    })
    if (!reading.ok) expect.fail(reading.message)
    const { review } = webhooks.get('/v1/admit/workloads')!
    expect(judge(review, reading.request, worldOf())).to.have.property('allowed', false)
  })
})
