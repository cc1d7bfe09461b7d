import { expect } from 'chai'

import type { KubeObject } from '../support/admin-api.ts'
import { eventually } from '../support/eventually.ts'
import {
  breach,
  deploymentOf,
  guardedCluster,
  guardedValues,
  guardPolicyOf,
  GuardedNamespace,
  podOf,
  podSpec,
  rejection,
  type GuardedCluster,
} from '../support/guarded-cluster.ts'
import { upgradeChart } from '../support/installation.ts'
import { paths } from '../support/scene.ts'
import { untilAllowed } from '../support/until-allowed.ts'

const registration = '/apis/admissionregistration.k8s.io/v1'
const validating = `${registration}/validatingwebhookconfigurations/lapse`
const mutating = `${registration}/mutatingwebhookconfigurations/lapse`
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

describe('B24 our own configuration, CRDs and processes', () => {
  let cluster: GuardedCluster
  before(async () => {
    cluster = await guardedCluster()
    await cluster.admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'eve' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
    })
    await untilAllowed(cluster.admin, { user: 'eve' }, { verb: '*', group: '*', resource: '*' })
  })

  const elsewhere = 'elsewhere the engine was turned off and nobody heard of it (kyverno 6554)'

  async function intact(): Promise<string | undefined> {
    const url = `http://127.0.0.1:${cluster.lapse.controller.localPort('http')}/metrics`
    const text = await (await fetch(url)).text()
    return /^lapse_webhook_configuration_intact (\d)$/m.exec(text)?.[1]
  }
  const reaches = (value: string) =>
    eventually(`the metric is ${value}`, async () => ((await intact()) === value ? true : undefined))
  /** Resolves when the API server heeds both configurations: an account is judged, and a policy is stamped. */
  const isAskedAgain = async (): Promise<void> => {
    await GuardedNamespace.make()
    await eventually('policies are stamped', async () => {
      const policy = guardPolicyOf({}, 'stamped')
      const { metadata } = await cluster.admin.create(`${paths.policies}?dryRun=All`, policy)
      return metadata!.annotations?.['lapse.dev/applied-by']
    })
  }
  const eventsOf = async (reason: string): Promise<readonly string[]> => {
    const events = await cluster.admin.list('/apis/events.k8s.io/v1/namespaces/default/events')
    return events.filter((event) => event['reason'] === reason).map((event) => event['note'] as string)
  }

  const weakenings: readonly (readonly [what: string, change: (webhook: KubeObject) => KubeObject, note: string])[] = [
    [
      'lets through what is not judged',
      (w) => ({ ...w, failurePolicy: 'Ignore' }),
      'lets through what it cannot judge',
    ],
    ['asks about fewer kinds', (w) => ({ ...w, rules: w['rules'].slice(1) }), 'is not asked about CREATE pods'],
    [
      'leaves a namespace out',
      (w) => ({ ...w, namespaceSelector: { matchLabels: { free: 'yes' } } }),
      'has another namespaceSelector',
    ],
    [
      'leaves a user out',
      (w) => ({ ...w, matchConditions: [{ name: 'not-eve', expression: 'request.userInfo.username != "eve"' }] }),
      'has another matchCondition not-eve',
    ],
    [
      'asks somebody else',
      (w) => ({ ...w, clientConfig: { ...w['clientConfig'], service: undefined, url: 'https://127.0.0.1:1/x' } }),
      'asks https://127.0.0.1:1/x',
    ],
    ['matches one version only', (w) => ({ ...w, matchPolicy: 'Exact' }), 'misses other API versions'],
  ]
  for (const [what, change, note] of weakenings)
    it(`is watched: who makes it one that ${what} is seen, by metric and event: ${elsewhere}`, async () => {
      await reaches('1')
      const before = await cluster.admin.get(validating)
      const webhooks = (before['webhooks'] as readonly KubeObject[]).map((webhook) =>
        webhook['name'] === 'workloads.lapse.dev' ? change(webhook) : webhook,
      )
      await cluster.admin.patch(validating, { webhooks })
      await reaches('0')
      await eventually(
        'an event says so',
        async () =>
          (await eventsOf('WebhookWeakened')).some((text) => text.includes(`workloads.lapse.dev ${note}`)) || undefined,
      )
      await cluster.admin.patch(validating, { webhooks: before['webhooks'] })
      await reaches('1')
    })

  for (const path of [validating, mutating])
    it(`is watched: its deletion is seen: ${path.split('/').at(-2)}: ${elsewhere}`, async () => {
      await reaches('1')
      const before = await cluster.admin.get(path)
      await cluster.admin.delete(path)
      await reaches('0')
      await eventually(
        'an event says so',
        async () =>
          (await eventsOf('WebhookWeakened')).some((text) => text === `there is no ${before.kind} lapse`) || undefined,
      )
      const metadata = { name: 'lapse', ...(before.metadata!.labels && { labels: before.metadata!.labels }) }
      await cluster.admin.create(path.slice(0, path.lastIndexOf('/')), { ...before, metadata })
      await reaches('1')
      await eventually('an event says that it is back', async () => (await eventsOf('WebhookRestored'))[0])
      await isAskedAgain()
    })

  it(`keeps the CRDs, and with them every policy and grant, from all but cluster admins: ${elsewhere}`, async () => {
    const eve = cluster.admin.as({ user: 'eve', groups: ['system:authenticated'] })
    for (const plural of ['accesspolicies', 'accesspolicyrevisions', 'nhigrants']) {
      const path = `${definitions}/${plural}.lapse.dev`
      const writes = [
        () => eve.delete(path),
        () => eve.patch(path, { metadata: { labels: { a: 'b' } } }),
        () => eve.patch(`${path}/status`, { status: { storedVersions: ['v1alpha1', 'v9'] } }),
      ]
      for (const write of writes) {
        const refusal = await rejection(write())
        expect(refusal.message).to.contain('"own-definitions.lapse.dev" denied').and.contain('[definition-guarded]')
      }
      await cluster.admin.patch(path, { metadata: { labels: { 'example.com/by': 'an-admin' } } })
    }
    await GuardedNamespace.make()
  })

  it('leaves the CRDs of others alone, and what the API server does with ours', async () => {
    const eve = cluster.admin.as({ user: 'eve', groups: ['system:authenticated'] })
    const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }
    const schema = { openAPIV3Schema: { type: 'object' } }
    await eve.create(definitions, {
      metadata: { name: 'things.other.example.com' },
      spec: {
        group: 'other.example.com',
        names,
        scope: 'Cluster',
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    })
    await eve.patch(`${definitions}/things.other.example.com`, { metadata: { labels: { a: 'b' } } })
    await eve.delete(`${definitions}/things.other.example.com`)
  })

  it('can be gone without locking anybody out for good: the way of docs/runbooks/webhook-down.md', async function () {
    this.timeout(180_000)
    const { admin, controlPlane, lapse } = cluster
    const guarded = await GuardedNamespace.make()
    const list = (resource: string) => admin.list(guarded.path(resource))
    await guarded.create('apps/v1/deployments', deploymentOf({}, { replicas: 1 }))
    await guarded.create('batch/v1/jobs', {
      metadata: { name: 'once' },
      spec: { template: { spec: podSpec({ restartPolicy: 'Never' }) } },
    })
    await eventually('the Pods are there', async () => (await list('pods')).length === 2 || undefined)
    await lapse.webhook.stop()
    const refusal = await rejection(guarded.create('pods', podOf()))
    expect(refusal.message).to.contain('failed calling webhook "workloads.lapse.dev"')
    // neither the cluster's own namespace nor ours waits for it, nor a cluster admin with the CRDs, nor anybody with a namespace
    for (const place of ['kube-system', lapse.namespace])
      await admin.create(`/api/v1/namespaces/${place}/pods?dryRun=All`, {
        metadata: { name: 'free' },
        spec: podSpec({ serviceAccountName: 'default', ...breach }),
      })
    await admin.patch(`${definitions}/nhigrants.lapse.dev`, { metadata: { labels: { 'example.com/by': null } } })
    await admin.patch(`/api/v1/namespaces/${guarded.name}`, { metadata: { labels: { a: 'b' } } })
    // nor the controllers of the cluster, when they scale and when they remove
    await admin.patch(`${guarded.path('apps/v1/deployments', 'api')}/scale`, { spec: { replicas: 0 } })
    await admin.delete(`${guarded.path('batch/v1/jobs', 'once')}?propagationPolicy=Background`)
    await eventually('no Pod is left', async () => (await list('pods')).length === 0 || undefined, 40_000)

    const configurations = 'validatingwebhookconfigurations,mutatingwebhookconfigurations'
    expect((await controlPlane.kubectl(['delete', configurations, 'lapse'])).code).to.equal(0)
    await eventually('the cluster is open', () => guarded.create('pods', podOf(breach)).catch(() => undefined))
    await reaches('0')

    await upgradeChart(controlPlane, { values: guardedValues })
    await lapse.startWebhook()
    await eventually('the cluster is closed again', async () => {
      const outcome = await guarded
        .create('pods', podOf(breach, { name: 'second' }), '?dryRun=All')
        .catch((error: Error) => error.message)
      return (typeof outcome === 'string' && outcome.includes('denied by lapse')) || undefined
    })
    await reaches('1')
  })
})
