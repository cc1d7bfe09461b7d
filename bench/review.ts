import { join } from 'node:path'

import { ApiError, type AdminApi, type KubeObject } from '../test/support/admin-api.ts'
import { progress, runAlone, type Benchmark } from './support/benchmark.ts'
import type { BareServerAnswer, BareServerQuestion } from './support/bare-server.ts'
import { deployment } from './support/deployments.ts'
import { createSubjects, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import type { LoadAnswer, LoadQuestion } from './support/load-generator.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { startPeer, type Peer } from './support/peer.ts'
import { median } from './support/percentile.ts'
import { sideBySide } from './support/side-by-side.ts'

const connections = 10
const rounds = 9
const roundMillis = 1_000
const warmUpMillis = 4_000
const rbac = { namespaces: 10, roles: 10, bindings: 20 } as const

export const review: Benchmark = {
  name: 'review',
  description: `What a review costs: reviews per second, and their p99, at ${connections} connections (TLS, keep-alive).

review/passing, review/failing  the webhook's own process, as the chart runs it, on the AdmissionReview of a Deployment of two
                                containers that meets the policy, and of one that breaks it (Pod Security, a forbidden
                                capability). The cluster has ${rbac.namespaces * (rbac.roles + rbac.bindings)} Roles and RoleBindings of ours.
review/bare-*                   a bare node:https server in a process of its own with the same certificate, which reads and
                                parses the same body and sends a fixed answer.

One load generator, in a process of its own, which checks every answer; ${rounds} rounds of ${roundMillis / 1000} s in turns, medians.
Goal: at least half of the bare server's reviews per second.`,
  measure: () => withLapse(measure),
}

type Generator = Peer<LoadQuestion, LoadAnswer>
type Target = Omit<LoadQuestion, 'connections' | 'millis'>

async function measure(cluster: LapseCluster): Promise<readonly Measurement[]> {
  const bodies = await prepareBodies(cluster)
  const generator: Generator = startPeer(join(import.meta.dirname, 'support/load-generator.ts'))
  const bare = startPeer<BareServerQuestion, BareServerAnswer>(join(import.meta.dirname, 'support/bare-server.ts'))
  try {
    const targets = await targetsOf(cluster, bare, bodies)
    progress(`reviews of ${bodies.passing.length} and ${bodies.failing.length} bytes, ${rounds} rounds after a warm-up`)
    return summarize(await run(generator, targets))
  } finally {
    await Promise.all([generator.stop(), bare.stop()])
  }
}

const targetNames = ['passing', 'bare-passing', 'failing', 'bare-failing'] as const
type TargetName = (typeof targetNames)[number]
type Samples = Readonly<Record<TargetName, readonly LoadAnswer[]>>

async function run(generator: Generator, targets: Readonly<Record<TargetName, Target>>): Promise<Samples> {
  const samples: Record<TargetName, LoadAnswer[]> = { passing: [], 'bare-passing': [], failing: [], 'bare-failing': [] }
  for (const name of targetNames) await load(generator, targets[name], warmUpMillis)
  for (let round = 0; round < rounds; round++) {
    for (const name of targetNames) samples[name].push(await load(generator, targets[name], roundMillis))
  }
  return samples
}

async function load(generator: Generator, target: Target, millis: number): Promise<LoadAnswer> {
  const answer = await generator.ask({ ...target, connections, millis })
  if (answer.failure !== null) throw new Error(`not the answer that was expected: ${answer.failure}`)
  return answer
}

async function targetsOf(
  { api, lapse }: LapseCluster,
  bare: Peer<BareServerQuestion, BareServerAnswer>,
  bodies: { readonly passing: string; readonly failing: string },
): Promise<Readonly<Record<TargetName, Target>>> {
  const { data } = await api.get(`/api/v1/namespaces/${lapse.namespace}/secrets/lapse-webhook-tls`)
  const pem = (name: string): string => Buffer.from(data[name] as string, 'base64').toString('utf8')
  const { port } = await bare.ask({ certificate: pem('tls.crt'), key: pem('tls.key') })
  const tls = { ca: pem('ca.crt'), servername: `lapse-webhook.${lapse.namespace}.svc`, path: '/v1/admit/workloads' }
  const webhook = { ...tls, port: lapse.webhook.localPort('webhook') }
  const allowed = '"allowed":true'
  return {
    passing: { ...webhook, body: bodies.passing, expected: allowed },
    failing: { ...webhook, body: bodies.failing, expected: '"allowed":false' },
    'bare-passing': { ...tls, port, body: bodies.passing, expected: allowed },
    'bare-failing': { ...tls, port, body: bodies.failing, expected: allowed },
  }
}

/** Both identities hold access; only that of the failing Deployment is forbidden. The reviews are asked for real once. */
async function prepareBodies(cluster: LapseCluster): Promise<{ readonly passing: string; readonly failing: string }> {
  const { api, namespace } = cluster
  await createSubjects(cluster, ['app', 'legacy'])
  await createRbac(cluster)
  const passing = deployment(namespace, 'app', 'passing')
  const failing = deployment(namespace, 'legacy', 'failing')
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`
  await api.create(path, passing)
  const refusal = await api.create(path, failing).then(
    () => 'it was allowed',
    (error: unknown) => (error instanceof ApiError ? error.message : Promise.reject(error as Error)),
  )
  for (const check of ['[privileged]', '[host-path]', '[secrets-read]']) {
    if (!refusal.includes(check)) throw new Error(`the failing Deployment is not refused by ${check}: ${refusal}`)
  }
  return { passing: await reviewOf(cluster, passing), failing: await reviewOf(cluster, failing) }
}

/** The AdmissionReview that the API server sends; the object is as it looks there, all defaults and managed fields set. */
async function reviewOf({ api, controlPlane }: LapseCluster, object: KubeObject): Promise<string> {
  const elsewhere = await ungovernedNamespace(controlPlane.namespace.bind(controlPlane))
  const { name, namespace } = object.metadata ?? {}
  const seen = await api.create(`/apis/apps/v1/namespaces/${elsewhere}/deployments?dryRun=All`, {
    ...object,
    metadata: { ...object.metadata, namespace: elsewhere },
  })
  const kind = { group: 'apps', version: 'v1', kind: 'Deployment' }
  const resource = { group: 'apps', version: 'v1', resource: 'deployments' }
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: 'b1b1c0de-5d5e-4a0c-9d3a-0d3f5e8c2041',
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name,
      namespace,
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:ci:deployer',
        uid: '7a0e1d1c-93b1-4a57-8f46-2f6a2b0c1f11',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:ci', 'system:authenticated'],
      },
      object: { apiVersion: 'apps/v1', kind: 'Deployment', ...seen, metadata: { ...seen.metadata, namespace } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-client-side-apply' },
    },
  })
}

function ungovernedNamespace(create: LapseCluster['controlPlane']['namespace']): Promise<string> {
  return create({ team: 'nobody' })
}

/** Roles and bindings as a cluster has them; some of them are of the identities that are judged. */
async function createRbac({ api, controlPlane, namespace }: LapseCluster): Promise<void> {
  const others = await sideBySide(Array.from({ length: rbac.namespaces }), 5, () => controlPlane.namespace())
  await sideBySide(others, 4, async (other) => {
    for (let index = 0; index < rbac.roles; index++) await createRole(api, other, `role-${index}`, 'configmaps')
    for (let index = 0; index < rbac.bindings; index++) {
      await createBinding(api, other, `role-${index % rbac.roles}`, { namespace: other, name: `account-${index}` })
    }
  })
  await createRole(api, namespace, 'settings', 'configmaps')
  await createRole(api, namespace, 'reader', 'secrets')
  await createBinding(api, namespace, 'settings', { namespace, name: 'app' })
  await createBinding(api, namespace, 'reader', { namespace, name: 'legacy' })
}

const rbacPath = '/apis/rbac.authorization.k8s.io/v1/namespaces'

async function createRole(api: AdminApi, namespace: string, name: string, resource: string): Promise<void> {
  const rules = [{ apiGroups: [''], resources: [resource], verbs: ['get', 'list', 'watch'] }]
  await api.create(`${rbacPath}/${namespace}/roles`, { metadata: { name }, rules })
}

async function createBinding(
  api: AdminApi,
  namespace: string,
  role: string,
  account: { readonly namespace: string; readonly name: string },
): Promise<void> {
  await api.create(`${rbacPath}/${namespace}/rolebindings`, {
    metadata: { name: `${role}-${account.name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  })
}

function summarize(samples: Samples): readonly Measurement[] {
  const rate = (name: TargetName): number => median(samples[name].map(({ perSecond }) => perSecond))
  const p99 = (name: TargetName): number => median(samples[name].map((answer) => answer.p99))
  const goal = { of: 'ratio', is: '≥', bound: 0.5 } as const
  return (['passing', 'failing'] as const).flatMap((kind) => {
    const bareRate = measurement(`review/bare-${kind}`, rate(`bare-${kind}`), '1/s')
    const bareP99 = measurement(`review/bare-${kind}-p99`, p99(`bare-${kind}`), 'ms')
    return [
      measurement(`review/${kind}`, rate(kind), '1/s', { against: bareRate, goal }),
      measurement(`review/${kind}-p99`, p99(kind), 'ms', { against: bareP99 }),
      bareRate,
      bareP99,
    ]
  })
}

if (import.meta.main) process.exitCode = await runAlone(review)
