import { AuthorizationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node'

import { loadConnection } from '../src/cluster/connection.ts'
import { Transport } from '../src/cluster/transport.ts'
import { systemClock } from '../src/runtime/clock.ts'
import { createMetrics } from '../src/runtime/metrics.ts'
import type { ControlPlane } from '../test/support/control-plane.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { withControlPlane } from './support/control-plane.ts'
import { drive, type Driven } from './support/drive.ts'
import { measurement, type Comparison, type Measurement } from './support/measurement.ts'
import { median, percentile } from './support/percentile.ts'
import { progress } from './support/progress.ts'
import { connectRaw } from './support/raw-client.ts'

const widths = [1, 16, 64] as const
const rounds = 6
const roundMillis = 500
const warmUpMillis = 1_000
/** The stock client opens a connection for each call: fewer of them, and only beside the middle width. */
const stock = { width: 16, rounds: 2 } as const

export const transport: Benchmark = {
  name: 'transport',
  description: `What a call through our transport costs: calls per second, their p99, and our processor time per call.

transport/get-N, transport/review-N  GET of one ConfigMap, and a SubjectAccessReview, with N calls in flight (${widths.join(', ')}), by
                                     src/cluster/transport.ts as the controllers use it: deadline, retries, typed errors, metrics.
transport/raw-*                      the same by undici alone, on a pool of as many connections with the same TLS options.
transport/stock-*                    the same by the typed client of @kubernetes/client-node, which opens a connection for each call.
*-cpu                                microseconds of this process per call, at ${stock.width} calls in flight.

One process, a client certificate, a real API server; ${rounds} rounds of ${roundMillis} ms in turns after a warm-up, medians.
Goal: at least 0.85 times the calls per second of undici alone, at ${stock.width} and ${widths[2]} calls in flight.`,
  measure: () => withControlPlane(measure),
}

/** One way to reach the API server. */
interface Client {
  get(): Promise<unknown>
  review(): Promise<unknown>
  close(): Promise<void>
}

const clientNames = ['ours', 'raw', 'stock'] as const
type ClientName = (typeof clientNames)[number]
type Clients = Readonly<Record<ClientName, Client>>
const calls = ['get', 'review'] as const
type Call = (typeof calls)[number]
type Width = (typeof widths)[number]

const name = 'bench'
const data = { settings: 'x'.repeat(1024) }
const reviewPath = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
const reviewSpec = {
  user: 'system:serviceaccount:bench:deployer',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:bench', 'system:authenticated'],
  resourceAttributes: { namespace: 'bench', verb: 'patch', group: 'apps', resource: 'deployments' },
}
const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: reviewSpec }

async function measure(controlPlane: ControlPlane): Promise<readonly Measurement[]> {
  const namespace = await controlPlane.namespace()
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  await controlPlane.admin.create(path, { metadata: { name }, data })
  // system:masters is exempt from priority and fairness, which would otherwise be what is measured
  const kubeconfig = await controlPlane.kubeconfigFor({ user: 'bench', groups: ['system:masters'] })
  const [ours, raw] = await Promise.all([
    ourClient(kubeconfig, `${path}/${name}`),
    rawClient(kubeconfig, `${path}/${name}`),
  ])
  const clients = { ours, raw, stock: stockClient(kubeconfig, namespace) }
  try {
    const measured: Measurement[] = []
    for (const call of calls) {
      for (const width of widths) measured.push(...(await compare(clients, call, width)))
    }
    return measured
  } finally {
    await Promise.all(Object.values(clients).map((client) => client.close()))
  }
}

async function ourClient(kubeconfig: string, path: string): Promise<Client> {
  const connection = await loadConnection({ kubeconfig, clock: systemClock })
  const observer = createMetrics({ version: 'bench' })
  const client = new Transport({ connection, clock: systemClock, random: Math.random, observer })
  return {
    get: () => client.call('GET', path),
    review: () => client.call('POST', reviewPath, review, { effect: 'read' }),
    close: () => client.close(),
  }
}

async function rawClient(kubeconfig: string, path: string): Promise<Client> {
  const client = await connectRaw(kubeconfig)
  return {
    get: () => client.request('GET', path),
    review: () => client.request('POST', reviewPath, review),
    close: () => client.close(),
  }
}

function stockClient(kubeconfig: string, namespace: string): Client {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const core = config.makeApiClient(CoreV1Api)
  const authorization = config.makeApiClient(AuthorizationV1Api)
  return {
    get: () => core.readNamespacedConfigMap({ name, namespace }),
    review: () => authorization.createSubjectAccessReview({ body: review }),
    close: () => Promise.resolve(),
  }
}

type Samples = Record<ClientName, Driven[]>

async function compare(clients: Clients, call: Call, width: Width): Promise<readonly Measurement[]> {
  progress(`${call}, ${width} in flight`)
  const samples: Samples = { ours: [], raw: [], stock: [] }
  for (const client of ['ours', 'raw'] as const) await drive(clients[client][call], width, warmUpMillis)
  for (let round = 0; round < rounds; round++) {
    // each goes first as often as the other
    const turns = round % 2 === 0 ? (['ours', 'raw'] as const) : (['raw', 'ours'] as const)
    for (const client of turns) samples[client].push(await drive(clients[client][call], width, roundMillis))
  }
  for (let round = 0; width === stock.width && round < stock.rounds; round++) {
    samples.stock.push(await drive(clients.stock[call], width, roundMillis))
  }
  return summarize(samples, call, width)
}

function summarize(samples: Samples, call: Call, width: Width): readonly Measurement[] {
  const raw = figures('raw-', samples.raw, call, width)
  const [rate, p99, cpu] = raw
  const bound = { of: 'ratio', is: '≥', bound: 0.85 } as const
  const comparisons = [{ against: rate, ...(width > 1 && { goal: bound }) }, { against: p99 }, { against: cpu }]
  const all = [...figures('', samples.ours, call, width, comparisons), ...raw]
  if (samples.stock.length === 0) return all.filter(({ unit }) => unit !== 'µs')
  return [
    ...all,
    ...figures('stock-', samples.stock, call, width, [{ against: rate }, { against: p99 }, { against: cpu }]),
  ]
}

/** Calls per second, p99 and processor time. */
function figures(
  prefix: '' | 'raw-' | 'stock-',
  samples: readonly Driven[],
  call: Call,
  width: Width,
  comparisons: readonly Comparison[] = [],
): readonly [Measurement, Measurement, Measurement] {
  const of = (read: (sample: Driven) => number): number => median(samples.map(read))
  const stem = `transport/${prefix}${call}-${width}`
  const p99 = of(({ latencies }) => percentile(latencies, 0.99))
  return [
    measurement(
      stem,
      of(({ perSecond }) => perSecond),
      '1/s',
      comparisons[0],
    ),
    measurement(`${stem}-p99`, p99, 'ms', comparisons[1]),
    measurement(
      `${stem}-cpu`,
      of(({ cpuMicros }) => cpuMicros),
      'µs',
      comparisons[2],
    ),
  ]
}

if (import.meta.main) process.exitCode = await runAlone(transport)
