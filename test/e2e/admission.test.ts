import { expect } from 'chai'

import type { AdminApi, ApiError, KubeObject } from '../support/admin-api.ts'
import type { CommandResult } from '../support/command.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { installLapse, type Installation } from '../support/installation.ts'
import { getOrNull, paths } from '../support/scene.ts'
import { untilAllowed } from '../support/until-allowed.ts'

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()
const lead = { user: 'lea@example.com', groups: ['payments-leads'] }
const securityContext = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const hostPath = { volumes: [{ name: 'node', hostPath: { path: '/etc' } }] }

const podSpec = (fields: object = {}): KubeObject => ({
  serviceAccountName: 'api',
  containers: [{ name: 'app', image: 'registry.example/app:1', securityContext }],
  ...fields,
})

const appliedBy = (object: KubeObject): string | undefined => object.metadata?.annotations?.['lapse.dev/applied-by']

const binding = (name: string): KubeObject => ({
  metadata: { name: 'mine' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
})

const rejection = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: ApiError) => error,
  )

/** `done`, or why it was refused. */
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: ApiError) => error.message,
  )

/** Milliseconds; half a second, and a timer may be early. */
const webhookWaits = 490

/**
 * What comes of a request once the webhook knows all that it names. The webhook waits for what it has not heard of yet, and then
 * refuses: where the API server is slow to tell it, such a refusal is right, but none that came at once.
 */
async function onceKnown(request: () => Promise<unknown>, missing: RegExp): Promise<string> {
  const hasty: string[] = []
  const told = await eventually('the webhook knows all that the request names', async () => {
    const asked = performance.now()
    const message = await outcome(request())
    if (!missing.test(message)) return message
    if (performance.now() - asked < webhookWaits) hasty.push(message)
    return undefined
  })
  expect(hasty, 'refused without having waited').to.deep.equal([])
  return told
}

describe('admission', () => {
  // Its own: whatever is admitted in it is admitted by this installation.
  let controlPlane: ControlPlane
  let admin: AdminApi
  let lapse: Installation
  let namespace: string
  let policy: string

  before(async function () {
    this.timeout(180_000)
    controlPlane = await startControlPlane()
    admin = controlPlane.admin
    lapse = await installLapse(controlPlane)
    await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'leads' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'payments-leads' }],
    })
    await untilAllowed(admin, lead, { verb: '*', group: '*', resource: '*' })
  })
  after(async () => {
    await lapse?.stop()
    await controlPlane?.stop()
  })

  const apply = (object: KubeObject, ...args: readonly string[]): Promise<CommandResult> =>
    controlPlane.kubectl(['apply', '-f', '-', ...args], { input: JSON.stringify(object) })

  /** A policy for the ServiceAccount `api` of the namespace. */
  const policyOf = (version: string, enforcement: string): KubeObject => {
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } }
    return {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: policy },
      spec: {
        version,
        owner: { name: 'payments-platform', contact: 'payments-oncall@example.com' },
        change: { request: 'CHG-20841', reason: 'a test', approvedBy: ['ana'], expiresAt: inDays(90) },
        subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['api'] }],
        scope: { namespaceSelector },
        permissions: [
          { name: 'rollout', rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }] },
        ],
        grants: { maxDuration: '1h', maxActivePerSubject: 10, requesters: [{ kind: 'Group', name: 'payments-leads' }] },
        workloads: { enforcement, podSecurity: { level: 'restricted' }, forbid: ['secrets-read'] },
      },
    }
  }

  /** Resolves when the operator has recorded the version; what the webhook heard of it is then at most a moment behind. */
  async function inForce(version: string, enforcement: string): Promise<void> {
    await admin.apply(`${paths.policies}/${policy}`, policyOf(version, enforcement))
    await eventually(
      `${policy}@${version} is recorded`,
      async () => (await getOrNull(admin, revisionPath(version))) ?? undefined,
    )
  }
  const revisionPath = (version: string): string => `${paths.revisions}/${policy}-${version}`

  beforeEach(async () => {
    namespace = await controlPlane.namespace()
    policy = `policy-of-${namespace}`
    await admin.create(paths.serviceAccounts(namespace), { metadata: { name: 'api' } })
    await inForce('1.0.0', 'Deny')
    await eventually('the webhook denies', async () => {
      const pod = { metadata: { name: 'probe' }, spec: podSpec(hostPath) }
      const refusal = await rejection(admin.create(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod))
      return refusal.message.includes('[host-path]') || undefined
    })
  })

  const deployment = (fields: object = {}, replicas = 0): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: 'api' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'api' } },
      template: { metadata: { labels: { app: 'api' } }, spec: podSpec(fields) },
    },
  })
  const grant = (spec: object = {}): KubeObject => ({
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { name: 'rollout' },
    spec: {
      policy: { name: policy },
      subject: { kind: 'ServiceAccount', namespace, name: 'api' },
      permissions: ['rollout'],
      duration: '10m',
      reason: 'a test',
      ...spec,
    },
  })
  const deploymentPath = (): string => `/apis/apps/v1/namespaces/${namespace}/deployments/api`
  const grantPath = (): string => `${paths.grants(namespace)}/rollout`

  /** Lets `api` list Secrets, by a binding that no grant stands behind. */
  async function letReadSecrets(): Promise<void> {
    await admin.create(paths.roles(namespace), {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }],
    })
    await admin.create(paths.roleBindings(namespace), {
      metadata: { name: 'legacy' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'api' }],
    })
    await eventually('the webhook knows the binding', async () => {
      const { stderr } = await apply(deployment(), '--dry-run=server')
      return stderr.includes('[secrets-read]') || undefined
    })
  }

  describe('of workloads', () => {
    it('shows whoever applies a Deployment that breaks the policy all of what is wrong', async () => {
      await letReadSecrets()
      const { code, stderr } = await apply(deployment(hostPath))
      expect(code).to.equal(1)
      expect(stderr).to.equal(
        `Error from server (Forbidden): error when creating "STDIN": admission webhook "workloads.lapse.dev" denied the request: denied by lapse: Deployment ${namespace}/api asks for more than policy ${policy}@1.0.0 allows
  [host-path]    spec.template.spec.volumes[0]: hostPath is not allowed at level restricted
                 → Use a persistentVolumeClaim, an emptyDir, a configMap or a csi volume instead
  [secrets-read] spec.template.spec.serviceAccountName: ServiceAccount ${namespace}/api can list secrets in ${namespace} (RoleBinding ${namespace}/legacy → Role reader)
                 → Mount the Secret that is needed, or grant get with resourceNames
owner: payments-platform <payments-oncall@example.com>
to ask for time-bound access instead: lapse request -n ${namespace} --as-subject sa/api --policy ${policy} --permission rollout --reason TEXT
`,
      )
      expect(await getOrNull(admin, deploymentPath())).to.equal(null)
    })

    it('admits what meets the policy', async () => {
      const { code, stderr } = await apply(deployment())
      expect(stderr).to.equal('')
      expect(code).to.equal(0)
    })

    it('answers a dry run as it would the real request', async () => {
      const { stderr } = await apply(deployment(hostPath), '--dry-run=server')
      expect(stderr).to.contain('admission webhook "workloads.lapse.dev" denied the request').and.contain('[host-path]')
    })

    it('admits in mode Warn, and kubectl shows why it should not be', async () => {
      await inForce('1.1.0', 'Warn')
      const { stderr } = await eventually('the Deployment is admitted', async () => {
        const result = await apply(deployment(hostPath))
        return result.code === 0 ? result : undefined
      })
      expect(stderr).to.equal(
        `Warning: [host-path] spec.template.spec.volumes[0]: hostPath is not allowed at level restricted (policy ${policy}@1.1.0)\n`,
      )
    })

    it('notes in mode Audit what it would have refused, and tells nobody', async () => {
      await inForce('1.1.0', 'Audit')
      const { stderr } = await eventually('the Deployment is admitted', async () => {
        const result = await apply(deployment(hostPath))
        return result.code === 0 ? result : undefined
      })
      expect(stderr).to.equal('')
      const [event] = await controlPlane.auditEvents(
        ({ verb, objectRef, responseStatus }) =>
          verb === 'create' &&
          objectRef?.resource === 'deployments' &&
          objectRef.namespace === namespace &&
          responseStatus?.code === 201,
      )
      expect(event?.annotations).to.include({
        'workloads.lapse.dev/policies': `${policy}@1.1.0`,
        'workloads.lapse.dev/findings':
          'Audit [host-path] spec.template.spec.volumes[0]: hostPath is not allowed at level restricted',
      })
    })

    it('judges the Pods that a ReplicaSet makes, and lets its owner be scaled all the same', async () => {
      await inForce('1.1.0', 'Audit')
      await eventually('the Deployment is admitted', async () =>
        (await apply(deployment(hostPath))).code === 0 ? true : undefined,
      )
      const replicaSets = () => admin.list(`/apis/apps/v1/namespaces/${namespace}/replicasets`)
      await eventually('its ReplicaSet is there', async () => (await replicaSets())[0])
      await inForce('1.2.0', 'Deny')
      await eventually('the webhook denies', async () => {
        const { stderr } = await apply(
          { ...deployment(hostPath), metadata: { namespace, name: 'other' } },
          '--dry-run=server',
        )
        return stderr.includes('denied the request') || undefined
      })
      expect((await controlPlane.kubectl(['scale', 'deployment/api', '--replicas=1', '-n', namespace])).code).to.equal(
        0,
      )
      const message = await eventually('the ReplicaSet says that its Pod was refused', async () => {
        const [replicaSet] = await replicaSets()
        const conditions = (replicaSet?.['status']?.conditions ?? []) as readonly KubeObject[]
        return conditions.find(({ type }) => type === 'ReplicaFailure')?.['message'] as string | undefined
      })
      expect(message)
        .to.contain('admission webhook "workloads.lapse.dev" denied the request')
        .and.contain('[host-path] spec.volumes[0]')
    })

    it('refuses an ephemeral container that breaks the policy', async () => {
      const pods = `/api/v1/namespaces/${namespace}/pods`
      await admin.create(pods, { metadata: { name: 'api' }, spec: podSpec() })
      const ephemeralContainers = [
        { name: 'debug', image: 'registry.example/debug:1', securityContext: { privileged: true } },
      ]
      const refusal = await rejection(
        admin.patch(`${pods}/api/ephemeralcontainers`, { spec: { ephemeralContainers } }, 'strategic'),
      )
      expect(refusal.status).to.equal(403)
      expect(refusal.message).to.match(/\[privileged\] +spec\.ephemeralContainers\[0\]\.securityContext\.privileged/)
    })

    it('judges a Pod that comes right behind its namespace and its ServiceAccount', async () => {
      for (let round = 0; round < 5; round++) {
        const fresh = `${namespace}-${round}`
        const spec = policyOf('1.0.0', 'Deny')['spec'] as KubeObject
        const subjects = [
          {
            kind: 'ServiceAccount',
            namespaceSelector: { matchLabels: { fresh } },
            selector: { matchLabels: { fresh } },
          },
        ]
        await admin.create(paths.policies, {
          ...policyOf('1.0.0', 'Deny'),
          metadata: { name: fresh },
          spec: { ...spec, subjects },
        })
        await eventually('the webhook knows the policy', async () => {
          const under = grant({ policy: { name: fresh } })
          const refusal = await rejection(admin.create(`${paths.grants(namespace)}?dryRun=All`, under))
          return refusal.message.includes(`${fresh}@1.0.0`) || undefined
        })
        await admin.create('/api/v1/namespaces', { metadata: { name: fresh, labels: { fresh } } })
        await admin.create(paths.serviceAccounts(fresh), { metadata: { name: 'api', labels: { fresh } } })
        const pod = { metadata: { name: 'api' }, spec: podSpec(hostPath) }
        const create = () => admin.create(`/api/v1/namespaces/${fresh}/pods`, pod)
        expect(await onceKnown(create, /\[(namespace|service-account)-missing\]/))
          .to.contain(`policy ${fresh}@1.0.0`)
          .and.contain('[host-path]')
      }
    })

    it('warns that a Deployment came before its ServiceAccount', async () => {
      const { code, stderr } = await apply(deployment({ serviceAccountName: 'later' }))
      expect(code).to.equal(0)
      expect(stderr).to.contain(
        `Warning: spec.template.spec.serviceAccountName: there is no ServiceAccount ${namespace}/later yet`,
      )
    })

    it('leaves kube-system and its own namespace alone, whomever a policy governs', async () => {
      const namespaceSelector = { matchLabels: { exemption: namespace } }
      const spec = {
        ...(policyOf('1.0.0', 'Deny')['spec'] as KubeObject),
        subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['default'] }],
      }
      await admin.create(paths.policies, { ...policyOf('1.0.0', 'Deny'), metadata: { name: `all-${policy}` }, spec })
      const places = [namespace, 'kube-system', lapse.namespace]
      for (const place of places)
        await admin.patch(`/api/v1/namespaces/${place}`, { metadata: { labels: { exemption: namespace } } })
      const pod = { metadata: { name: 'free' }, spec: podSpec({ serviceAccountName: 'default', ...hostPath }) }
      const create = (place: string) => admin.create(`/api/v1/namespaces/${place}/pods?dryRun=All`, pod)
      await eventually('the policy is in force elsewhere', async () => {
        const refusal = await rejection(create(namespace))
        return refusal.message.includes('[host-path]') || undefined
      })
      for (const exempt of places.slice(1)) await create(exempt)
    })
  })

  describe('of grants', () => {
    it('stamps who asks, whatever the grant says', async () => {
      const created = await admin
        .as(lead)
        .create(paths.grants(namespace), grant({ requestedBy: 'somebody@example.com' }))
      expect(created['spec'].requestedBy).to.equal(lead.user)
    })

    it('refuses whom the policy does not let ask', async () => {
      const refusal = await rejection(admin.create(paths.grants(namespace), grant({ requestedBy: lead.user })))
      expect(refusal.status).to.equal(403)
      expect(refusal.message).to.contain(
        `[requester-not-allowed] spec.requestedBy: policy ${policy}@1.0.0 does not let admin ask for ServiceAccount ${namespace}/api`,
      )
    })

    it('refuses more than the policy gives', async () => {
      const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['delete'] }]
      const refusal = await rejection(admin.as(lead).create(paths.grants(namespace), grant({ rules, duration: '2h' })))
      expect(refusal.message)
        .to.contain('[beyond-ceiling]')
        .and.contain('delete deployments.apps')
        .and.contain('[duration-too-long] spec.duration: 2h is longer than the 1h that the policy allows')
    })

    it('refuses to end a grant by a look at a kind that the policy does not list', async () => {
      const until = { apiVersion: 'v1', kind: 'Secret', name: 'token', expression: 'has(object.data.a)' }
      const refusal = await rejection(admin.as(lead).create(paths.grants(namespace), grant({ until })))
      expect(refusal.message).to.contain(
        `[until-not-allowed] spec.until: policy ${policy}@1.0.0 does not let a grant look at v1 Secret`,
      )
    })

    it('lets a grant follow its policy at once', async () => {
      const spec = policyOf('1.1.0', 'Deny')['spec'] as KubeObject
      await admin.apply(`${paths.policies}/${policy}`, { ...policyOf('1.1.0', 'Deny'), spec })
      const create = () =>
        admin.as(lead).create(paths.grants(namespace), grant({ policy: { name: policy, version: '1.1.0' } }))
      expect(await onceKnown(create, /\[policy-version\]/)).to.equal('done')
      expect((await admin.get(grantPath())).metadata?.name).to.equal('rollout')
    })

    it('refuses a changed spec, and lets it be revoked once', async () => {
      await admin.as(lead).create(paths.grants(namespace), grant())
      const longer = await rejection(admin.patch(grantPath(), { spec: { duration: '50m' } }))
      expect(longer.message).to.contain('immutable')
      const revoked = await admin.patch(grantPath(), { spec: { revoke: { reason: 'leaked' } } })
      expect(revoked['spec'].revoke).to.deep.equal({ reason: 'leaked' })
      const again = await rejection(admin.patch(grantPath(), { spec: { revoke: { reason: 'not leaked' } } }))
      expect(again.message).to.contain('revoke may be set once and never taken back')
    })

    it('refuses a status by anybody but the operator, also by an admin', async () => {
      await admin.as(lead).create(paths.grants(namespace), grant())
      const refusal = await rejection(
        admin.patch(`${grantPath()}/status`, { status: { notAfter: '2099-01-01T00:00:00Z' } }),
      )
      expect(refusal.status).to.equal(403)
      expect(refusal.message).to.contain('[status-guarded]').and.contain('to end a grant set spec.revoke')
    })
  })

  describe('of policies', () => {
    it('stamps who changed the spec, and keeps it through every other change', async () => {
      expect(appliedBy(await admin.get(`${paths.policies}/${policy}`))).to.equal('admin')
      const forged = await admin.as(lead).patch(`${paths.policies}/${policy}`, {
        metadata: { annotations: { 'lapse.dev/applied-by': 'ana' }, labels: { a: 'b' } },
      })
      expect(appliedBy(forged)).to.equal('admin')
      const changed = await admin.as(lead).patch(`${paths.policies}/${policy}`, { spec: { version: '1.1.0' } })
      expect(appliedBy(changed)).to.equal(lead.user)
    })

    it('refuses a change whose version does not rise', async () => {
      const refusal = await rejection(
        admin.patch(`${paths.policies}/${policy}`, { spec: { grants: { maxDuration: '2h' } } }),
      )
      expect(refusal.status).to.equal(403)
      expect(refusal.message).to.contain(
        '[version-not-rising] spec.version: the spec changed but its version went from 1.0.0 to 1.0.0',
      )
    })

    it('refuses a status by anybody but the operator', async () => {
      const refusal = await rejection(
        admin.patch(`${paths.policies}/${policy}/status`, { status: { activeVersion: '9.9.9' } }),
      )
      expect(refusal.message).to.contain('[status-guarded]')
    })

    it('refuses every write to a revision by anybody but the operator', async () => {
      const revision = await admin.get(revisionPath('1.0.0'))
      const copy = { ...revision, metadata: { name: `${policy}-9.9.9` } }
      const writes: readonly (readonly [what: string, write: () => Promise<unknown>])[] = [
        ['create', () => admin.create(paths.revisions, copy)],
        ['label', () => admin.patch(revisionPath('1.0.0'), { metadata: { labels: { a: 'b' } } })],
        [
          'status',
          () => admin.patch(`${revisionPath('1.0.0')}/status`, { status: { revokedAt: '2020-01-01T00:00:00Z' } }),
        ],
        ['delete', () => admin.delete(revisionPath('1.0.0'))],
      ]
      for (const [what, write] of writes)
        expect((await rejection(write())).message, what).to.contain('[revision-guarded]')
    })
  })

  describe('of bindings', () => {
    it('keeps the roles of the pool for the operator', async () => {
      const refusal = await rejection(admin.create(paths.roleBindings(namespace), binding('lapse-set-3')))
      expect(refusal.status).to.equal(403)
      expect(refusal.message).to.contain('[pool-role] roleRef.name: ClusterRole lapse-set-3 belongs to the pool')
      const everywhere = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
      expect((await rejection(admin.create(everywhere, binding('lapse-set-3')))).message).to.contain('[pool-role]')
    })

    it('keeps what carries a grant for the operator: no finalizer, no orphan, but a removal', async function () {
      this.timeout(180_000)
      const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }]
      const { metadata } = await admin.as(lead).create(paths.grants(namespace), grant({ rules }))
      await eventually('the grant is Active', async () =>
        (await admin.get(grantPath()))['status']?.state === 'Active' ? true : undefined,
      )
      const name = `lapse-${metadata!.uid!}`
      const carriers = [`${paths.roles(namespace)}/${name}`, `${paths.roleBindings(namespace)}/${name}`]
      const changes = [
        { finalizers: ['example.com/keep'] },
        { ownerReferences: null },
        { labels: { 'lapse.dev/grant-uid': null } },
      ]
      for (const path of carriers)
        for (const change of changes) {
          const refusal = await rejection(admin.patch(path, { metadata: change }))
          expect(refusal.status, JSON.stringify(change)).to.equal(403)
          expect(refusal.message).to.contain('admission webhook "access.lapse.dev"').and.contain('[grant-object]')
        }
      const gone = { name: 'mine', labels: { 'lapse.dev/grant-uid': metadata!.uid! } }
      const forged = await rejection(admin.create(paths.roles(namespace), { metadata: gone, rules }))
      expect(forged.message).to.contain('[grant-object]')
      await lapse.controller.stop()
      await admin.delete(grantPath(), { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Orphan' })
      const refusedToCollector = async (): Promise<true | undefined> => {
        const refusals = await controlPlane.auditEvents(
          ({ objectRef, user, responseStatus }) =>
            objectRef?.namespace === namespace &&
            user.username.endsWith(':generic-garbage-collector') &&
            responseStatus?.code === 403,
        )
        return refusals.length > 0 ? true : undefined
      }
      await eventually('the garbage collector was refused', refusedToCollector, 40_000)
      expect((await admin.get(grantPath())).metadata).to.have.property('deletionTimestamp')
      await lapse.startController()
      for (const path of [...carriers, grantPath()])
        await eventually(
          `${path} is gone`,
          async () => ((await getOrNull(admin, path)) === null ? true : undefined),
          30_000,
        )
    })

    for (const propagationPolicy of ['Foreground', 'Orphan'])
      it(`removes at the end what somebody deleted with propagation policy ${propagationPolicy}, whose finalizer stays`, async () => {
        const { metadata } = await admin.as(lead).create(paths.grants(namespace), grant())
        const path = `${paths.roleBindings(namespace)}/lapse-${metadata!.uid!}-rollout`
        await eventually('the binding is there', async () => (await getOrNull(admin, path)) ?? undefined)
        await admin.delete(path, { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy })
        await admin.patch(grantPath(), { spec: { revoke: { reason: 'enough' } } })
        await eventually(
          'the binding is gone',
          async () => ((await getOrNull(admin, path)) === null ? true : undefined),
          30_000,
        )
        const proved = await eventually('the grant is proved to have ended', async () => {
          const found = await admin.get(grantPath())
          return found['status']?.revocation?.verifiedAt === undefined ? undefined : found
        })
        expect(proved['status'].revocation).not.to.have.property('residual')
      })

    it('leaves every other binding alone', async () => {
      await admin.create(paths.roleBindings(namespace), binding('view'))
    })
  })

  describe('of the process', () => {
    it('counts its verdicts', async () => {
      const url = `http://127.0.0.1:${lapse.webhook.localPort('http')}/metrics`
      const text = await (await fetch(url)).text()
      for (const [webhook, verdict] of [
        ['workloads', 'deny'],
        ['workloads', 'warn'],
        ['lapse', 'allow'],
        ['access', 'deny'],
        ['mutate', 'allow'],
      ])
        expect(text).to.match(
          new RegExp(`lapse_admission_reviews_total\\{webhook="${webhook}",verdict="${verdict}"\\} [1-9]`),
        )
    })

    it('logs no errors, and ends when it is asked to, having answered what it had begun', async () => {
      const { webhook } = lapse
      const { code, signal } = await webhook.stop()
      expect(webhook.logs()).not.to.contain('"level":"error"')
      expect({ code, signal }).to.deep.equal({ code: 0, signal: null })
      const refusal = await rejection(
        admin.create(`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'x' }, spec: podSpec() }),
      )
      expect(refusal.message).to.contain('failed calling webhook "workloads.lapse.dev"')
      await lapse.startWebhook()
      await admin.create(`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'x' }, spec: podSpec() })
    })

    it('leaves what carries a grant to whoever deletes it, also when the webhook is away', async () => {
      const { metadata } = await admin.as(lead).create(paths.grants(namespace), grant())
      const path = `${paths.roleBindings(namespace)}/lapse-${metadata!.uid!}-rollout`
      const first = await eventually('the binding is there', async () => (await getOrNull(admin, path)) ?? undefined)
      await lapse.webhook.stop()
      const refusal = await rejection(admin.patch(path, { metadata: { finalizers: ['example.com/keep'] } }))
      expect(refusal.message).to.contain('failed calling webhook "access.lapse.dev"')
      await admin.delete(path)
      // the operator may have put another in its place already
      expect((await getOrNull(admin, path))?.metadata?.uid).not.to.equal(first.metadata!.uid)
      await lapse.startWebhook()
    })
  })
})
