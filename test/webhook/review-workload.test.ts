import { expect } from 'chai'
import { reviewWorkloads } from '../../src/webhook/review-workload.ts'
import { account, deployment, hostPath, legacyAccess, namespace, payments, pod, podSpec, policy } from './objects.ts'
import {
  gist,
  judge,
  now,
  operatorUser,
  refusalOf,
  requestOf,
  reviewOf,
  worldOf,
  type RawObject,
  type RequestOptions,
} from './requests.ts'

const governed = worldOf(...payments, ...legacyAccess, policy())
const withMode = (enforcement: string) =>
  worldOf(
    ...payments,
    ...legacyAccess,
    policy({ workloads: { enforcement, podSecurity: { level: 'restricted' }, forbid: ['secrets-read'] } }),
  )
const noToken = { automountServiceAccountToken: false }

const review = (object: RawObject, options: RequestOptions = {}, world = governed) =>
  judge(reviewWorkloads, requestOf(object, options), world)

const crew = (...pods: readonly object[]): RawObject => ({
  apiVersion: 'crew.example.com/v2',
  kind: 'Crew',
  metadata: { namespace: 'payments', name: 'api' },
  spec: { tasks: pods.map((spec) => ({ template: { spec } })) },
})

const old = (fields: object = {}) => pod({ ...noToken, containers: [{ name: 'old', image: 'a' }], ...fields })

const join = (container: object, before: RawObject = old()) =>
  review(
    { ...before, spec: { ...(before['spec'] as object), ephemeralContainers: [container] } },
    { subResource: 'ephemeralcontainers', oldObject: before },
  )

describe('reviewWorkloads', () => {
  it('says every finding, its field, the policy version, the owner and what to do next', () => {
    expect(refusalOf(review(deployment({ volumes: hostPath })))).to.equal(
      `denied by lapse: Deployment payments/api asks for more than policy payments-deploy@1.4.0 allows
  [host-path]    spec.template.spec.volumes[1]: hostPath is not allowed at level restricted
                 → Use a persistentVolumeClaim, an emptyDir, a configMap or a csi volume instead
  [secrets-read] spec.template.spec.serviceAccountName: ServiceAccount payments/api can list secrets in payments (RoleBinding payments/legacy → Role reader)
                 → Mount the Secret that is needed, or grant get with resourceNames
owner: payments-platform <payments-oncall@example.com>
to ask for time-bound access instead: lapse request -n payments --as-subject sa/api --policy payments-deploy --permission rollout --reason TEXT`,
    )
  })

  it('refuses what would run as the identity of a grant, whoever is governed, and a template as well', () => {
    const serviceAccountName = 'lapse-0b8c1a5e-0000-4000-8000-00000000abcd'
    for (const [object, path] of [
      [pod({ serviceAccountName }), 'spec.serviceAccountName'],
      [deployment({ serviceAccountName }), 'spec.template.spec.serviceAccountName'],
    ] as const) {
      const refusal = refusalOf(review(object, {}, worldOf(...payments)))
      expect(refusal).to.include(
        `[grant-identity] ${path}: ServiceAccount ${serviceAccountName} is the identity of a grant`,
      )
    }
  })

  it('names no grant as a way out when no capability is among the findings', () => {
    expect(refusalOf(review(deployment({ ...noToken, volumes: hostPath })))).not.to.contain('NHIGrant')
  })

  it('names no grant as a way out under a policy that issues none', () => {
    const spec = { scope: undefined, permissions: undefined, grants: undefined }
    const message = refusalOf(review(deployment(), {}, worldOf(...payments, ...legacyAccess, policy(spec))))
    expect(message).to.contain('[secrets-read]').and.not.to.contain('NHIGrant')
  })

  it('keeps the findings of a refusal for the audit log', () => {
    expect(review(deployment({ ...noToken, volumes: hostPath })).auditAnnotations).to.deep.equal({
      policies: 'payments-deploy@1.4.0',
      findings: 'Deny [host-path] spec.template.spec.volumes[1]: hostPath is not allowed at level restricted',
    })
  })

  it('admits in mode Warn, with one warning for each finding', () => {
    const answer = review(deployment({ volumes: hostPath }), {}, withMode('Warn'))
    expect(gist(answer)).to.equal('allowed')
    expect(answer.warnings).to.deep.equal([
      '[host-path] spec.template.spec.volumes[1]: hostPath is not allowed at level restricted (policy payments-deploy@1.4.0)',
      '[secrets-read] spec.template.spec.serviceAccountName: ServiceAccount payments/api can list secrets in payments (RoleBinding payments/legacy → Role reader) (policy payments-deploy@1.4.0)',
    ])
  })

  it('admits in mode Audit without a word to the user', () => {
    const answer = review(deployment({ ...noToken, volumes: hostPath }), {}, withMode('Audit'))
    expect(answer).to.deep.include({ allowed: true, warnings: [] })
    expect(answer.auditAnnotations['findings']).to.match(/^Audit \[host-path\]/)
  })

  it('tells of a refusal only what denies, and warns of what another policy only warns of', () => {
    const second = policy({ workloads: { enforcement: 'Warn', forbid: ['secrets-read'] } }, { name: 'second' })
    const first = policy({ workloads: { podSecurity: { level: 'restricted' } } })
    const answer = review(deployment({ volumes: hostPath }), {}, worldOf(...payments, ...legacyAccess, first, second))
    expect(refusalOf(answer)).to.contain('[host-path]').and.not.to.contain('secrets-read')
    expect(answer.warnings.join()).to.contain('[secrets-read]').and.contain('(policy second@1.4.0)')
  })

  it('judges what is not asked to change nothing: a dry run has the same answer', () => {
    const object = deployment({ volumes: hostPath })
    expect(review(object, { dryRun: true })).to.deep.equal(review(object))
  })

  const refusals: readonly (readonly [sentence: string, object: RawObject, options: RequestOptions, gist: string])[] = [
    [
      'a Pod that a controller makes, by its generated name',
      pod({ volumes: hostPath }, { name: undefined, generateName: 'api-7d9-' }),
      {},
      '403 denied by lapse: Pod payments/api-7d9-… asks for more than policy payments-deploy@1.4.0 allows',
    ],
    [
      'an ephemeral container that breaks the policy',
      pod({ ...noToken, ephemeralContainers: [{ name: 'debug', securityContext: { privileged: true } }] }),
      { subResource: 'ephemeralcontainers', oldObject: pod(noToken) },
      '403 denied by lapse: Pod payments/api-1 asks for more than policy payments-deploy@1.4.0 allows',
    ],
    [
      'an update that brings the breach',
      deployment({ ...noToken, volumes: hostPath }),
      { oldObject: deployment(noToken) },
      '403 denied by lapse: Deployment payments/api asks for more than policy payments-deploy@1.4.0 allows',
    ],
    [
      'an update that changes the template of an object that is being deleted',
      {
        ...deployment({ ...noToken, volumes: hostPath }),
        metadata: { namespace: 'payments', name: 'api', deletionTimestamp: '2026-06-01T00:00:00Z' },
      },
      { oldObject: deployment(noToken) },
      '403 denied by lapse: Deployment payments/api asks for more than policy payments-deploy@1.4.0 allows',
    ],
    [
      'another ServiceAccount for the same template',
      deployment(),
      { oldObject: deployment({ account: 'other' }) },
      '403 denied by lapse: Deployment payments/api asks for more than policy payments-deploy@1.4.0 allows',
    ],
    [
      'a restart of a workload that breaks the policy, for its Pods would be refused unseen',
      deployment({ ...noToken, volumes: hostPath, annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } }),
      { oldObject: deployment({ ...noToken, volumes: hostPath }) },
      '403 denied by lapse: Deployment payments/api asks for more than policy payments-deploy@1.4.0 allows',
    ],
    [
      'a Pod whose ServiceAccount is not there',
      pod({ account: 'nobody' }),
      {},
      '403 denied by lapse: Pod payments/api-1 cannot be judged: what decides over it is not there',
    ],
    [
      'a Deployment whose namespace is not there',
      { ...deployment(), metadata: { namespace: 'elsewhere', name: 'api' } },
      {},
      '403 denied by lapse: Deployment elsewhere/api cannot be judged: what decides over it is not there',
    ],
    [
      'what it cannot read',
      { ...deployment(), spec: { template: { spec: { containers: [{ securityContext: { privileged: 'yes' } }] } } } },
      {},
      '422 denied by lapse: Deployment payments/api is not valid',
    ],
    [
      'a kind that makes no pods',
      { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'payments', name: 'api' } },
      {},
      '403 denied by lapse: this webhook does not know Service: check its configuration',
    ],
    [
      'a kind of the same name in another group',
      { ...deployment(), apiVersion: 'example.com/v1' },
      {},
      '403 denied by lapse: this webhook does not know example.com/Deployment: check its configuration',
    ],
    [
      'a subresource that it does not know',
      pod(),
      { subResource: 'resize', oldObject: pod() },
      '403 denied by lapse: this webhook does not know Pod/resize: check its configuration',
    ],
  ]
  for (const [sentence, object, options, expected] of refusals)
    it(`refuses ${sentence}`, () => expect(gist(review(object, options))).to.equal(expected))

  it('names the field that it cannot read, what it expected, and where to look it up', () => {
    const object = { ...pod(), spec: { ...podSpec(), hostNetwork: 'true' } }
    expect(refusalOf(review(object))).to.equal(
      `denied by lapse: Pod payments/api-1 is not valid
  [invalid] spec.hostNetwork: expected true or false, found a string
what its fields mean: kubectl explain pod`,
    )
  })

  for (const kind of ['StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'ReplicationController'] as const)
    it(`judges the template of a ${kind}`, () => {
      const apiVersion = { Job: 'batch/v1', ReplicationController: 'v1' }[kind as string] ?? 'apps/v1'
      const object = { ...deployment({ ...noToken, volumes: hostPath }), kind, apiVersion }
      expect(refusalOf(review(object))).to.contain('[host-path] spec.template.spec.volumes[1]')
    })

  it('judges a PodTemplate', () => {
    const template = { spec: podSpec({ ...noToken, volumes: hostPath }) }
    const object = { apiVersion: 'v1', kind: 'PodTemplate', metadata: { namespace: 'payments', name: 'api' }, template }
    expect(refusalOf(review(object))).to.contain('[host-path] template.spec.volumes[1]')
  })

  it('judges the template of a CronJob', () => {
    const template = { spec: podSpec({ ...noToken, volumes: hostPath }) }
    const metadata = { namespace: 'payments', name: 'nightly' }
    const object = { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec: { jobTemplate: { spec: { template } } } }
    expect(refusalOf(review(object))).to.contain('[host-path] spec.jobTemplate.spec.template.spec.volumes[1]')
  })

  it('judges every version of a kind that it is sent', () => {
    const object = { ...deployment({ ...noToken, volumes: hostPath }), apiVersion: 'apps/v1beta1' }
    expect(refusalOf(review(object))).to.contain('[host-path]')
  })

  const allowances: readonly (readonly [sentence: string, object: RawObject, options: RequestOptions])[] = [
    ['what meets the policy', deployment(noToken), {}],
    ['a workload of another team', { ...pod({ account: 'other' }), metadata: { namespace: 'shop', name: 'x' } }, {}],
    [
      'the scaling of a workload that no longer meets the policy',
      deployment({ volumes: hostPath }, { replicas: 3 }),
      { oldObject: deployment({ volumes: hostPath }) },
    ],
    [
      'the last finalizer of a workload that no longer meets the policy',
      {
        ...pod({ volumes: hostPath }),
        metadata: { namespace: 'payments', name: 'api-1', deletionTimestamp: '2026-06-01T00:00:00Z' },
      },
      { oldObject: pod({ volumes: hostPath }, { finalizers: ['example.com/x'] }) },
    ],
    [
      'the note of a network on a running Pod that no longer meets the policy',
      pod({ volumes: hostPath, annotations: { 'cni.example.com/podIP': '10.0.0.1' } }),
      { oldObject: pod({ volumes: hostPath }) },
    ],
    [
      'an unchanged template that the API server wrote in another order',
      deployment({ volumes: hostPath }),
      { oldObject: JSON.parse(JSON.stringify(deployment({ volumes: hostPath }), reversed)) as RawObject },
    ],
    ['a deletion', deployment({ volumes: hostPath }), { operation: 'DELETE' }],
    ['a ReplicaSet without a template, which makes no pods', { ...deployment(), kind: 'ReplicaSet', spec: {} }, {}],
  ]
  const world = worldOf(...payments, ...legacyAccess, policy(), namespace('shop'), account('shop/other'))
  for (const [sentence, object, options] of allowances)
    it(`allows ${sentence}`, () => expect(gist(review(object, options, world))).to.equal('allowed'))

  it('judges a Pod again whose pin was changed', () => {
    const pinned = pod({ ...noToken, volumes: hostPath, annotations: { 'lapse.dev/policy': 'payments-deploy@1.4.0' } })
    expect(gist(review(pinned, { oldObject: pod({ ...noToken, volumes: hostPath }) }))).to.match(/^403/)
  })

  describe('of a kind that the configuration names', () => {
    const podTemplates = [{ group: 'crew.example.com', kind: 'Crew', path: 'spec.tasks[*].template' }]
    const good = podSpec(noToken)
    const bad = podSpec({ ...noToken, volumes: hostPath })
    const ask = (object: RawObject, options: RequestOptions = {}) =>
      reviewWorkloads(requestOf(object, options), { world: governed, now, operatorUser, podTemplates })

    it('judges every template', () => {
      const message = refusalOf(ask(crew(good, bad, bad)))
      expect(message).to.contain('spec.tasks[1].template').and.contain('spec.tasks[2].template')
    })

    it('allows good ones, and an update that leaves all of them as they are', () => {
      expect(gist(ask(crew(good, good)))).to.equal('allowed')
      expect(gist(ask(crew(bad), { oldObject: crew(bad) }))).to.equal('allowed')
    })

    it('judges one that is added, moved or taken away', () => {
      expect(gist(ask(crew(bad, good), { oldObject: crew(bad) }))).to.match(/^403/)
      expect(gist(ask(crew(good, bad), { oldObject: crew(bad, good) }))).to.match(/^403/)
      expect(gist(ask(crew(bad), { oldObject: crew(bad, good) }))).to.match(/^403/)
    })

    it('knows no subresource of it, and no kind that is not named', () => {
      expect(gist(ask(crew(good), { subResource: 'status', oldObject: crew(good) }))).to.contain('does not know')
      expect(gist(ask({ ...crew(good), kind: 'Gang' }))).to.contain('does not know crew.example.com/Gang')
    })

    it('waits for the accounts of all templates', () => {
      const answer = ask(crew(podSpec({ account: 'one' }), podSpec({ account: 'two' })))
      expect(answer.unsettled.map(({ name }) => name)).to.deep.equal(['one', 'two'])
    })
  })

  describe('of a running Pod', () => {
    const debug = { ...(podSpec().containers[0] as object), name: 'debug' }

    it('lets a good container join a bad one, and tells of the bad one', () => {
      const answer = join(debug)
      expect(gist(answer)).to.equal('allowed')
      expect(answer.warnings.join()).to.contain('spec.containers[0]').and.contain('it was so before this update')
      expect(answer.auditAnnotations['findings']).to.contain('Warn [')
    })

    it('refuses a bad container for what is bad in it, and in it alone', () => {
      const message = refusalOf(join({ name: 'debug', image: 'a' }))
      expect(message).to.contain('spec.ephemeralContainers[0]').and.not.to.contain('spec.containers[0]')
    })

    it('refuses every container where the Pod itself is at fault', () => {
      expect(refusalOf(join(debug, old({ hostNetwork: true })))).to.contain('spec.hostNetwork')
    })

    it('refuses a bad container under the name of an old one, and an old one that has changed', () => {
      expect(gist(join({ name: 'old', image: 'a' }))).to.match(/^403/)
      const other = old({ containers: [{ name: 'old', image: 'b' }] })
      expect(gist(review(other, { oldObject: old() }))).to.match(/^403/)
    })

    it('judges everything anew when its pin changes with it', () => {
      const annotations = { 'lapse.dev/policy': 'payments-deploy@1.4.0' }
      const before = old()
      const after = old({ annotations, ephemeralContainers: [debug] })
      expect(gist(review(after, { oldObject: before }))).to.match(/^403/)
    })
  })

  it('says of a changed template what was wrong with it before', () => {
    const [before, after] = ['a', 'b'].map((image) =>
      deployment({ ...noToken, volumes: hostPath, annotations: { image } }),
    ) as [RawObject, RawObject]
    expect(refusalOf(review(after, { oldObject: before }))).to.contain(
      '1 of these was there before: new Pods are refused for it with this change or without',
    )
    expect(refusalOf(review(after, { oldObject: deployment(noToken) }))).not.to.contain('there before')
  })

  it('judges a template without its ServiceAccount by the name, says so, and waits for the account', () => {
    const answer = review(deployment({ account: 'nobody' }))
    expect(gist(answer)).to.equal('allowed')
    expect(answer.warnings).to.deep.equal([
      'spec.template.spec.serviceAccountName: there is no ServiceAccount payments/nobody yet: judged by its name only; its Pods are judged when they are created',
    ])
    expect(answer.unsettled).to.deep.equal([{ kind: 'ServiceAccount', namespace: 'payments', name: 'nobody' }])
  })

  it('holds a template without its ServiceAccount to the policies that name the account', () => {
    const named = policy({ subjects: [{ kind: 'ServiceAccount', namespaceSelector: {}, names: ['nobody'] }] })
    const answer = review(deployment({ account: 'nobody', volumes: hostPath }), {}, worldOf(...payments, named))
    expect(refusalOf(answer)).to.contain('[host-path]')
  })

  it('waits for the namespace and the ServiceAccount of a Pod', () => {
    expect(review(pod(), {}, worldOf()).unsettled).to.deep.equal([
      { kind: 'Namespace', namespace: '', name: 'payments' },
      { kind: 'ServiceAccount', namespace: 'payments', name: 'api' },
    ])
  })

  it('reads the namespace from the request, whatever the object says', () => {
    const request = reviewOf(deployment({ ...noToken, volumes: hostPath })).request
    expect(request.namespace).to.equal('payments')
    const moved = { ...deployment({ ...noToken, volumes: hostPath }), metadata: { namespace: 'shop', name: 'api' } }
    const answer = judge(reviewWorkloads, { ...requestOf(moved), namespace: 'payments' }, world)
    expect(refusalOf(answer)).to.contain('Deployment payments/api').and.contain('[host-path]')
  })
})

/** For JSON.stringify: objects with their keys the other way round. */
function reversed(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toReversed())
}
