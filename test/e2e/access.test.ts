import { expect } from 'chai'

import { serviceAccountUsername } from '../../src/core/identity.ts'
import { ApiError, type AdminApi, type KubeObject } from '../support/admin-api.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { installLapse, type Installation } from '../support/installation.ts'
import { paths } from '../support/scene.ts'

const rbac = 'rbac.authorization.k8s.io'
const clusterRoleBindings = `/apis/${rbac}/v1/clusterrolebindings`
const readConfig = { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }
const readSecrets = { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }
const rollOut = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }
const lead = { user: 'lea@example.com', groups: ['payments-leads'] }

const roleRef = (kind: string, name: string): KubeObject => ({ apiGroup: rbac, kind, name })
const group = (name: string): KubeObject => ({ apiGroup: rbac, kind: 'Group', name })

/** `done`, or what the API server says. */
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.message : Promise.reject(error as Error)),
  )

const isUnknown = / does not exist[:)]/

/**
 * The same once the webhook knows what the write names. It waits for that for half a second and then refuses: on a machine that is
 * slower to tell it, such a refusal is right if it came no sooner.
 */
async function judged(write: () => Promise<unknown>): Promise<string> {
  for (;;) {
    const asked = performance.now()
    const answer = await outcome(write())
    if (!isUnknown.test(answer)) return answer
    expect(performance.now() - asked, answer).to.be.at.least(500)
  }
}

describe('standing access', () => {
  // Its own: whatever is bound in it is judged by this installation.
  let controlPlane: ControlPlane
  let admin: AdminApi
  let lapse: Installation
  let namespace: string
  let policy: string
  let api: KubeObject

  before(async function () {
    this.timeout(180_000)
    controlPlane = await startControlPlane()
    admin = controlPlane.admin
    await admin.create(clusterRoleBindings, {
      metadata: { name: 'leads' },
      roleRef: roleRef('ClusterRole', 'cluster-admin'),
      subjects: [group('payments-leads')],
    })
    lapse = await installLapse(controlPlane)
  })
  after(async function () {
    this.timeout(120_000)
    await lapse?.stop()
    await controlPlane?.stop()
  })

  /** The ServiceAccount `api` of a fresh namespace, under a policy by which it may hold what `standing` lists. */
  const govern = async (
    standing: readonly object[] | undefined,
    labels: Readonly<Record<string, string>> = { app: 'api' },
  ): Promise<void> => {
    namespace = await controlPlane.namespace()
    policy = `policy-${namespace}`
    api = { kind: 'ServiceAccount', namespace, name: 'api' }
    await admin.create(paths.serviceAccounts(namespace), { metadata: { name: 'api', labels } })
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } }
    await admin.create(paths.policies, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: policy },
      spec: {
        version: '1.0.0',
        owner: { name: 'payments-platform' },
        change: {
          request: 'CHG-1',
          reason: 'a test',
          approvedBy: ['ana'],
          expiresAt: new Date(Date.now() + 90 * 86_400_000).toISOString(),
        },
        subjects: [{ kind: 'ServiceAccount', namespaceSelector, selector: { matchLabels: { app: 'api' } } }],
        scope: { namespaceSelector },
        permissions: [{ name: 'rollout', rules: [rollOut] }],
        grants: { maxDuration: '1h', requesters: [{ kind: 'User', name: lead.user }] },
        workloads: { ...(standing !== undefined && { standing }) },
      },
    })
    if (standing !== undefined) await isJudged()
  }

  const isJudged = (): Promise<unknown> =>
    eventually('the webhook knows the policy and its subject', async () => {
      const answer = await outcome(bind('probe', roleRef('ClusterRole', 'cluster-admin'), [api], '?dryRun=All'))
      return (answer.includes(policy) && !isUnknown.test(answer)) || undefined
    })

  const bind = (name: string, role: KubeObject, subjects: readonly KubeObject[], query = ''): Promise<KubeObject> =>
    admin.create(`${paths.roleBindings(namespace)}${query}`, { metadata: { name }, roleRef: role, subjects })
  const role = (name: string, ...rules: readonly object[]): Promise<KubeObject> =>
    admin.create(paths.roles(namespace), { metadata: { name }, rules })

  const reviews = async (): Promise<number> => {
    const metrics = await (await fetch(`http://127.0.0.1:${lapse.webhook.localPort('http')}/metrics`)).text()
    const counts = metrics.matchAll(/^lapse_admission_reviews_total\{webhook="access",.*\} (\d+)$/gm)
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  describe('under a policy with `standing`', () => {
    beforeEach(() => govern([readConfig]))

    it('is refused on a binding that gives more, with what is too much and the way to a grant', async () => {
      await role('rollout', rollOut, readConfig)
      await judged(() => bind('mine', roleRef('Role', 'rollout'), [api], '?dryRun=All'))
      const { code, stderr } = await controlPlane.kubectl([
        'create',
        'rolebinding',
        'mine',
        '--role=rollout',
        `--serviceaccount=${namespace}:api`,
        '-n',
        namespace,
      ])
      expect(code).to.equal(1)
      expect(stderr.trim()).to.equal(
        `error: failed to create rolebinding: admission webhook "standing.lapse.dev" denied the request: denied by lapse: RoleBinding ${namespace}/mine asks for more than policy ${policy}@1.0.0 allows
  [standing-access] subjects[0]: ServiceAccount ${namespace}/api would hold for good in ${namespace}: get,patch deployments.apps
                    → ask for it with an NHIGrant: permission rollout of policy ${policy}@1.0.0 covers it
owner: payments-platform
to ask for time-bound access instead: lapse request -n ${namespace} --as-subject sa/api --policy ${policy} --permission rollout --reason TEXT`,
      )
    })

    it('is admitted as far as the policy lists it, and to those whom it does not govern', async () => {
      await role('config', readConfig)
      await role('secrets', readSecrets)
      expect(await judged(() => bind('config', roleRef('Role', 'config'), [api]))).to.equal('done')
      const other = { kind: 'ServiceAccount', namespace, name: 'default' }
      expect(await judged(() => bind('other', roleRef('Role', 'secrets'), [other]))).to.equal('done')
    })

    it('is refused in kube-system and in the namespace of Lapse as anywhere', async () => {
      for (const where of ['kube-system', lapse.namespace]) {
        const gift = { metadata: { name: namespace }, roleRef: roleRef('ClusterRole', 'view'), subjects: [api] }
        expect(await outcome(admin.create(paths.roleBindings(where), gift))).to.contain(`for good in ${where}: `)
      }
    })

    it('is refused on a binding right behind its role and its ServiceAccount', async () => {
      for (let round = 0; round < 5; round++) {
        const name = `fresh-${round}`
        await admin.create(paths.serviceAccounts(namespace), { metadata: { name, labels: { app: 'api' } } })
        await role(name, readSecrets)
        const fresh = { kind: 'ServiceAccount', namespace, name }
        expect(await judged(() => bind(name, roleRef('Role', name), [fresh]))).to.contain('get,list secrets')
      }
    })

    it('is refused on a role that is bound already', async () => {
      await role('config', readConfig)
      expect(await judged(() => bind('config', roleRef('Role', 'config'), [api]))).to.equal('done')
      const more = { rules: [readConfig, readSecrets] }
      await eventually('the webhook knows the binding', async () =>
        (await outcome(admin.patch(`${paths.roles(namespace)}/config?dryRun=All`, more))) === 'done' ? undefined : true,
      )
      expect(await outcome(admin.patch(`${paths.roles(namespace)}/config`, more)))
        .to.contain('[standing-access] rules: ServiceAccount')
        .and.contain(`(RoleBinding ${namespace}/config → Role config): get,list secrets`)
    })

    for (const [sentence, subject] of [
      ['every ServiceAccount', () => group('system:serviceaccounts')],
      ['every ServiceAccount of the namespace', () => group(`system:serviceaccounts:${namespace}`)],
      ['everybody who is authenticated', () => group('system:authenticated')],
      ['everybody who is not', () => group('system:unauthenticated')],
      [
        'a User of the name of the ServiceAccount',
        () => ({ apiGroup: rbac, kind: 'User', name: serviceAccountUsername(namespace, 'api') }),
      ],
    ] as const)
      it(`is refused on a binding for ${sentence}, here and everywhere`, async () => {
        await role('secrets', readSecrets)
        expect(await judged(() => bind('mine', roleRef('Role', 'secrets'), [subject()]))).to.contain('get,list secrets')
        const everywhere = { metadata: { name: namespace }, roleRef: roleRef('ClusterRole', 'view') }
        expect(await outcome(admin.create(clusterRoleBindings, { ...everywhere, subjects: [subject()] }))).to.contain(
          'would hold for good everywhere: ',
        )
      })

    it('is refused on a ClusterRole that would be aggregated into one that is bound, and nothing waits for the aggregation', async () => {
      const label = `aggregate-${namespace}`
      const labels = { [label]: 'true' }
      await admin.create(paths.clusterRoles, { metadata: { name: `config-${namespace}`, labels }, rules: [readConfig] })
      await admin.create(paths.clusterRoles, {
        metadata: { name: namespace },
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: labels }] },
        rules: [],
      })
      await eventually('the controller aggregates', async () => {
        const { rules } = (await admin.get(`${paths.clusterRoles}/${namespace}`)) as { rules?: readonly unknown[] }
        return rules?.length === 1 ? true : undefined
      })
      expect(await judged(() => bind('mine', roleRef('ClusterRole', namespace), [api]))).to.equal('done')
      const secrets = { metadata: { name: `secrets-${namespace}`, labels }, rules: [readSecrets] }
      const refusal = await eventually('the webhook knows the binding', async () => {
        const answer = await outcome(admin.create(`${paths.clusterRoles}?dryRun=All`, secrets))
        return answer === 'done' ? undefined : answer
      })
      expect(refusal).to.contain(`(RoleBinding ${namespace}/mine → ClusterRole ${namespace}): get,list secrets`)

      await admin.create(paths.clusterRoles, { ...secrets, metadata: { name: `secrets-${namespace}` } })
      expect(
        await outcome(admin.patch(`${paths.clusterRoles}/secrets-${namespace}`, { metadata: { labels } })),
      ).to.contain('[standing-access] metadata.labels: ')
    })

    it('is given by the grant that the operator carries out, and by nobody who looks like it', async () => {
      const subject = { kind: 'ServiceAccount', namespace, name: 'api' }
      await admin.as(lead).create(paths.grants(namespace), {
        apiVersion: 'lapse.dev/v1alpha1',
        kind: 'NHIGrant',
        metadata: { name: 'rollout' },
        spec: { policy: { name: policy }, subject, permissions: ['rollout'], duration: '5m', reason: 'a test' },
      })
      await eventually('the grant is Active', async () => {
        const { status } = (await admin.get(`${paths.grants(namespace)}/rollout`)) as { status?: { state?: string } }
        return status?.state === 'Active' ? true : undefined
      })
      await role('rollout', rollOut)
      const labels = { 'lapse.dev/managed-by': 'lapse', 'lapse.dev/policy': policy }
      const forged = { metadata: { name: 'forged', labels }, roleRef: roleRef('Role', 'rollout'), subjects: [api] }
      expect(await outcome(admin.create(paths.roleBindings(namespace), forged))).to.contain('[standing-access]')
      const carrier = { ...forged, metadata: { name: 'forged', labels: { 'lapse.dev/grant-uid': '1' } } }
      expect(await outcome(admin.create(paths.roleBindings(namespace), carrier))).to.contain('[grant-object]')
    })

    it('lets nobody but the operator fill a role of the pool', async () => {
      const pool = { metadata: { name: 'lapse-set-200' }, rules: [readSecrets] }
      expect(await outcome(admin.create(paths.clusterRoles, pool))).to.contain('[pool-role] metadata.name: ')
    })

    it('is refused in a Secret with a token that never ends, and no other Secret comes before the webhook', async () => {
      const secrets = `/api/v1/namespaces/${namespace}/secrets`
      const annotations = { 'kubernetes.io/service-account.name': 'api' }
      const type = 'kubernetes.io/service-account-token'
      const refusal = await outcome(admin.create(secrets, { metadata: { name: 'token', annotations }, type }))
      expect(refusal)
        .to.contain('admission webhook "token-secrets.lapse.dev" denied the request')
        .and.contain(
          `[token-secret] metadata.annotations["kubernetes.io/service-account.name"]: the Secret would hold a token of ServiceAccount ${namespace}/api that never ends`,
        )
      const other = {
        metadata: { name: 'other', annotations: { ...annotations, 'kubernetes.io/service-account.name': 'default' } },
        type,
      }
      expect(await outcome(admin.create(secrets, other))).to.equal('done')

      const before = await reviews()
      await admin.create(secrets, { metadata: { name: 'mine', annotations }, stringData: { key: 'value' } })
      await admin.patch(`${secrets}/mine`, { stringData: { key: 'another' } })
      await admin.patch(`${secrets}/other`, { metadata: { labels: { a: 'b' } } })
      expect(await reviews()).to.equal(before)
      const renamed = { metadata: { annotations } }
      expect(await outcome(admin.patch(`${secrets}/other`, renamed))).to.contain('[token-secret]')
      expect(await reviews()).to.equal(before + 1)
    })

    it('tells who takes a ServiceAccount out of its policy, or gives it a name in a cloud', async () => {
      const change = (...args: readonly string[]) =>
        controlPlane.kubectl([...args, '-n', namespace, '--overwrite']).then(({ code, stderr }) => [code, stderr])
      expect(await change('annotate', 'serviceaccount/api', 'eks.amazonaws.com/role-arn=arn:1')).to.deep.equal([
        0,
        `Warning: [cloud-identity] metadata.annotations["eks.amazonaws.com/role-arn"]: Pods of this ServiceAccount are arn:1 to the cloud, with whatever that may do (policy ${policy}@1.0.0)\n`,
      ])
      expect(await change('label', 'serviceaccount/api', 'app=other')).to.deep.equal([
        0,
        `Warning: [governance-ended] metadata.labels: with these labels policy ${policy}@1.0.0 no longer governs the ServiceAccount (policy ${policy}@1.0.0)\n`,
      ])
      const [event] = await controlPlane.auditEvents(
        ({ annotations }) => annotations?.['service-accounts.lapse.dev/policies'] === `${policy}@1.0.0`,
      )
      expect(event?.annotations?.['service-accounts.lapse.dev/findings']).to.contain('Warn [cloud-identity]')
      await role('secrets', readSecrets)
      await eventually('the webhook knows the label', async () =>
        (await outcome(bind('mine', roleRef('Role', 'secrets'), [api]))) === 'done' ? true : undefined,
      )
      await eventually('the way back into the policy is told', async () => {
        const [, told] = await change('label', 'serviceaccount/api', 'app=api', '--dry-run=server')
        return (
          String(told).includes(`[standing-access] metadata.labels: ServiceAccount ${namespace}/api holds`) || undefined
        )
      })
      const before = await reviews()
      await admin.create(paths.serviceAccounts(namespace), { metadata: { name: 'plain', labels: { app: 'api' } } })
      expect(await reviews()).to.equal(before)
    })
  })

  describe('that is there already', () => {
    it('is not broken: what an update does not add is no reason to refuse it', async () => {
      await govern(undefined)
      await role('secrets', readSecrets)
      await bind('legacy', roleRef('Role', 'secrets'), [api])
      await admin.patch(`${paths.policies}/${policy}`, { spec: { version: '1.1.0', workloads: { standing: [] } } })
      await isJudged()
      const binding = `${paths.roleBindings(namespace)}/legacy`
      const other = { kind: 'ServiceAccount', namespace, name: 'default' }
      expect(await outcome(admin.patch(binding, { metadata: { annotations: { a: 'b' } } }))).to.equal('done')
      expect(await outcome(admin.patch(binding, { subjects: [api, other] }))).to.equal('done')
      const path = `${paths.roles(namespace)}/secrets`
      expect(await outcome(admin.patch(path, { rules: [{ ...readSecrets, verbs: ['get'] }] }))).to.equal('done')
      await eventually('the webhook knows the smaller role', async () =>
        (await outcome(admin.patch(`${path}?dryRun=All`, { rules: [readSecrets] }))).includes(': list secrets')
          ? true
          : undefined,
      )
    })

    it('leaves the roles of the cluster to the API server, and the webhook unasked for what changes nothing', async () => {
      await govern([])
      const masters = { user: 'system:apiserver', groups: ['system:masters'] }
      const before = await reviews()
      await admin
        .as(masters)
        .patch(`${clusterRoleBindings}/system:basic-user`, { metadata: { labels: { a: namespace } } })
      await admin.patch(`${clusterRoleBindings}/system:basic-user`, { metadata: { annotations: { a: namespace } } })
      expect(await reviews()).to.equal(before)
      const impostor = { ...masters, groups: ['impostors'] }
      await admin.create(clusterRoleBindings, {
        metadata: { name: `impostor-${namespace}` },
        roleRef: roleRef('ClusterRole', 'cluster-admin'),
        subjects: [{ apiGroup: rbac, kind: 'User', name: impostor.user }],
      })
      const gift = { metadata: { name: namespace }, roleRef: roleRef('ClusterRole', 'view'), subjects: [api] }
      await eventually('the impostor may bind', async () => {
        const answer = await outcome(admin.as(impostor).create(clusterRoleBindings, gift))
        expect(answer).not.to.equal('done')
        return answer.includes('[standing-access]') || undefined
      })
    })
  })

  it('is not judged under a policy that does not list any', async () => {
    await govern(undefined)
    await role('secrets', readSecrets)
    expect(await outcome(bind('mine', roleRef('Role', 'secrets'), [api]))).to.equal('done')
  })
})
