import { expect } from 'chai'

import type { AdminApi, ApiError, KubeObject } from '../support/admin-api.ts'
import type { CommandResult } from '../support/command.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { installLapse, type Installation } from '../support/installation.ts'
import { conditionOf, getOrNull, paths } from '../support/scene.ts'

const lead = { user: 'lea@example.com', groups: ['payments-leads'] }
const hostPath = { volumes: [{ name: 'node', hostPath: { path: '/etc' } }] }
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()

const podSpec = (serviceAccountName = 'api'): KubeObject => ({
  serviceAccountName,
  containers: [{ name: 'app', image: 'registry.example/app:1' }],
  ...hostPath,
})

const rejection = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: ApiError) => error,
  )

async function over(grant: KubeObject): Promise<void> {
  const rest = Date.parse(grant['status'].notAfter as string) - Date.now()
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest) + 1))
}

describe('waivers', function () {
  this.timeout(120_000)

  // Its own: whatever is admitted in it is admitted by this installation.
  let controlPlane: ControlPlane
  let admin: AdminApi
  let lapse: Installation
  let namespace: string
  let elsewhere: string
  let policy: string

  before(async () => {
    controlPlane = await startControlPlane()
    admin = controlPlane.admin
    lapse = await installLapse(controlPlane)
    await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'leads' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'payments-leads' }],
    })
  })
  after(async () => {
    await lapse?.stop()
    await controlPlane?.stop()
  })

  /** Judges `api` and `other` of both namespaces at level baseline; its grants give no access, they only waive. */
  const policyOf = (name: string, fields: object = {}): KubeObject => {
    const namespaceSelector = { matchLabels: { waivers: namespace } }
    return {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name },
      spec: {
        version: '1.0.0',
        owner: { name: 'payments-platform' },
        change: { request: 'CHG-20841', reason: 'a test', approvedBy: ['ana'], expiresAt: inDays(90) },
        subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['api', 'other'] }],
        scope: { namespaceSelector },
        grants: {
          maxDuration: '1h',
          maxActivePerSubject: 10,
          requesters: [{ kind: 'Group', name: 'payments-leads' }],
          waivable: ['host-path'],
        },
        workloads: { podSecurity: { level: 'baseline' } },
        ...fields,
      },
    }
  }
  const deployment = (account = 'api', name = account, replicas = 0): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec(account) },
    },
  })
  const waiver = (spec: object = {}): KubeObject => ({
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { name: 'debug' },
    spec: {
      policy: { name: policy },
      subject: { kind: 'ServiceAccount', namespace, name: 'api' },
      waive: ['host-path'],
      duration: '10m',
      reason: 'look at the node',
      ...spec,
    },
  })
  const grantPath = (): string => `${paths.grants(namespace)}/debug`
  const podsPath = (where = namespace): string => `/api/v1/namespaces/${where}/pods`

  const apply = (object: KubeObject, ...args: readonly string[]): Promise<CommandResult> =>
    controlPlane.kubectl(['apply', '-f', '-', ...args], { input: JSON.stringify(object) })
  const tryPod = (where = namespace, account = 'api'): Promise<unknown> =>
    admin.create(`${podsPath(where)}?dryRun=All`, { metadata: { name: 'try' }, spec: podSpec(account) })

  const reaches = (state: string, withinMs?: number): Promise<KubeObject> =>
    eventually(
      `the grant is ${state}`,
      async () => {
        const grant = await admin.get(grantPath())
        return grant['status']?.state === state ? grant : undefined
      },
      withinMs,
    )

  /** Resolves when the grant is Active and the webhook has heard of it. */
  async function waive(spec: object = {}): Promise<KubeObject> {
    await admin.as(lead).create(paths.grants(namespace), waiver(spec))
    const grant = await reaches('Active')
    await eventually('the webhook honours it', () => tryPod())
    return grant
  }

  beforeEach(async () => {
    namespace = await controlPlane.namespace()
    elsewhere = await controlPlane.namespace({ waivers: namespace })
    await admin.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels: { waivers: namespace } } })
    policy = `policy-of-${namespace}`
    for (const where of [namespace, elsewhere])
      for (const name of ['api', 'other']) await admin.create(paths.serviceAccounts(where), { metadata: { name } })
    await admin.create(paths.policies, policyOf(policy))
    await eventually('the policy is in force', async () => {
      const { message } = await rejection(tryPod())
      const found = await admin.get(`${paths.policies}/${policy}`)
      return (message.includes('[host-path]') && conditionOf(found, 'Ready')?.['status'] === 'True') || undefined
    })
  })

  it('let what was refused pass while their grant is Active, and are refused again when it has expired', async () => {
    const refused = await apply(deployment('api', 'api', 1))
    expect(refused.stderr)
      .to.contain('[host-path] spec.template.spec.volumes[0]')
      .and.contain(
        `to ask for an exception: lapse request -n ${namespace} --as-subject sa/api --policy ${policy} --waive host-path --reason TEXT`,
      )

    const grant = await waive({ duration: '15s' })
    expect(grant['status']).to.deep.include({ waive: ['host-path'], rules: [], objects: [] })
    expect(await admin.list(paths.roleBindings(namespace))).to.deep.equal([])
    expect(await admin.list(paths.roles(namespace))).to.deep.equal([])

    const admitted = await apply(deployment('api', 'api', 1))
    const told = `; waived by NHIGrant ${namespace}/debug until ${grant['status'].notAfter as string}`
    expect(admitted.stderr).to.match(/^Warning: \[host-path\] spec\.template\.spec\.volumes\[0\]: /)
    expect(admitted.stderr).to.contain(`${told} (policy ${policy}@1.0.0)\n`)
    expect(admitted.code).to.equal(0)
    const pod = await eventually('its Pod is admitted', async () => (await admin.list(podsPath()))[0])

    const [audited] = await controlPlane.auditEvents(
      ({ verb, objectRef, responseStatus }) =>
        verb === 'create' &&
        objectRef?.resource === 'deployments' &&
        objectRef.namespace === namespace &&
        responseStatus?.code === 201,
    )
    expect(audited?.annotations?.['workloads.lapse.dev/waivers'])
      .to.match(/^Deny \[host-path\] /)
      .and.contain(told)
    expect(audited?.annotations).to.not.have.property('workloads.lapse.dev/findings')

    const ended = await reaches('Expired', 40_000)
    expect(ended['status'].revocation).to.have.all.keys('verifiedAt')
    expect(conditionOf(ended, 'RevocationVerified')).to.include({ status: 'True', reason: 'NoAccess' })
    expect((await rejection(tryPod())).message).to.contain('[host-path]')
    expect((await apply(deployment('api', 'second'))).stderr).to.contain('[host-path]')

    const podPath = `${podsPath()}/${pod.metadata!.name!}`
    expect((await admin.get(podPath)).metadata, 'the Pod that runs goes on').not.to.have.property('deletionTimestamp')
    await admin.delete(podPath)
    const message = await eventually('the ReplicaSet says that a new Pod was refused', async () => {
      const [replicaSet] = await admin.list(`/apis/apps/v1/namespaces/${namespace}/replicasets`)
      const failure = conditionOf(replicaSet!, 'ReplicaFailure')
      return failure?.['message'] as string | undefined
    })
    expect(message).to.contain('[host-path] spec.volumes[0]')
    // it comes beside that, in its own time
    const event = await eventually('there is an event of it', async () => {
      const all = await admin.list(`/api/v1/namespaces/${namespace}/events?fieldSelector=reason%3DFailedCreate`)
      return all[0]
    })
    expect(event['message']).to.contain('[host-path] spec.volumes[0]')
    const restart = await controlPlane.kubectl(['rollout', 'restart', 'deployment/api', '-n', namespace])
    expect(restart.stderr).to.contain('[host-path] spec.template.spec.volumes[0]')
    const scaled = await controlPlane.kubectl(['scale', 'deployment/api', '--replicas=0', '-n', namespace])
    expect(scaled.stderr, 'and its Deployment is still there to be mended').to.equal('')
  })

  it('are for one account in one namespace', async () => {
    await waive()
    for (const [where, account] of [
      [namespace, 'other'],
      [elsewhere, 'api'],
    ] as const) {
      const { message } = await rejection(tryPod(where, account))
      expect(message, `${where}/${account}`).to.contain('[host-path]')
    }
  })

  it('are for one policy: where another finds the same, it takes a grant under that one too', async () => {
    await waive()
    const second = `second-${policy}`
    await admin.create(paths.policies, policyOf(second))
    const { message } = await eventually('the second policy is in force', () => rejection(tryPod()))
    expect(message).to.contain(`asks for more than policy ${second}@1.0.0 allows`)
    await admin
      .as(lead)
      .create(paths.grants(namespace), { ...waiver({ policy: { name: second } }), metadata: { name: 'second' } })
    await eventually('both are waived', () => tryPod())
  })

  it('pass nothing but what they name', async () => {
    await waive()
    const spec = { ...podSpec(), hostPID: true }
    const refusal = await rejection(admin.create(podsPath(), { metadata: { name: 'x' }, spec }))
    expect(refusal.message).to.contain('[host-namespaces]').and.not.contain('[host-path]')
  })

  it('end when they are revoked, and when their grant is deleted', async () => {
    await waive()
    await admin.patch(grantPath(), { spec: { revoke: { reason: 'enough' } } })
    await eventually('it is refused again', () => rejection(tryPod()))
    expect(conditionOf(await reaches('Revoked'), 'RevocationVerified')).to.include({ reason: 'NoAccess' })
    await admin.delete(grantPath())
    await waive()
    await admin.delete(grantPath())
    await eventually('it is refused again', () => rejection(tryPod()))
  })

  it('end with the version of the policy that they were issued under', async () => {
    await waive()
    await admin.patch(`${paths.policies}/${policy}`, { spec: { version: '1.1.0' } })
    await eventually('it is refused again', () => rejection(tryPod()))
    expect((await reaches('Revoked'))['status'].endedReason).to.contain('superseded')
  })

  const refusals: readonly (readonly [sentence: string, spec: () => object, text: string])[] = [
    [
      'of a check that the policy does not list',
      () => ({ waive: ['host-path', 'host-namespaces'] }),
      '[waiver-not-allowed] spec.waive[1]: policy',
    ],
    [
      'for an account of another namespace',
      () => ({ subject: { kind: 'ServiceAccount', namespace: elsewhere, name: 'api' } }),
      '[waiver-subject] spec.subject: no workload in namespace',
    ],
    ['of a check that is none', () => ({ waive: ['hostPath'] }), 'Unsupported value: "hostPath"'],
    ['of a pin', () => ({ waive: ['pin-stale'] }), 'Unsupported value: "pin-stale"'],
    ['of nothing, for nothing', () => ({ waive: undefined }), 'a grant needs permissions or waive'],
  ]
  for (const [sentence, spec, text] of refusals)
    it(`are refused: one ${sentence}`, async () => {
      const refusal = await rejection(admin.as(lead).create(paths.grants(namespace), waiver(spec())))
      expect(refusal.message).to.contain(text)
    })

  it('cannot be widened afterwards', async () => {
    await waive()
    const spec = { waive: ['host-path', 'host-namespaces'] }
    expect((await rejection(admin.patch(grantPath(), { spec }))).message).to.contain('waive is immutable')
    const forged = await rejection(admin.patch(`${grantPath()}/status`, { status: spec }))
    expect(forged.message).to.contain('[status-guarded]')
  })

  it('end at their instant though the controller is gone, which catches up when it is back', async () => {
    const grant = await waive({ duration: '12s' })
    await lapse.controller.stop()
    await tryPod()
    await over(grant)
    expect((await rejection(tryPod())).message).to.contain('[host-path]')
    expect((await admin.get(grantPath()))['status'].state).to.equal('Active')
    await lapse.startController()
    const ended = await reaches('Expired', 30_000)
    expect(ended['status'].endedAt).to.equal(grant['status'].notAfter)
    expect(conditionOf(ended, 'RevocationVerified')).to.include({ status: 'True', reason: 'NoAccess' })
    expect(await getOrNull(admin, grantPath())).not.to.equal(null)
  })
})
