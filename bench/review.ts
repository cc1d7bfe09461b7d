import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { eventually } from '../test/support/eventually.ts'
import type { BareServerAnswer, BareServerQuestion } from './support/bare-server.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { deployment } from './support/deployments.ts'
import { applyPolicies, policyName, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import type { LoadAnswer, LoadQuestion } from './support/load-generator.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { startPeer, type Peer } from './support/peer.ts'
import { median } from './support/percentile.ts'
import { costOf } from './support/process-cost.ts'
import { progress } from './support/progress.ts'
import { prepareBodies, rbac, type Bodies, type Kind } from './support/review-bodies.ts'

const connections = [10, 50] as const
const manyPolicies = 20
const rounds = 5
const roundMillis = 1_000
const warmUpMillis = 2_000
/** What bench/endpoint.ts sends by default. */
export const corpus = join(import.meta.dirname, 'corpus')

export const review: Benchmark = {
  name: 'review',
  description: `What a review costs: reviews per second, latency and processor time (TLS, keep-alive).

review/passing, review/failing  the webhook's own process, as the chart runs it, on the AdmissionReview of a Deployment of two
                                containers that meets the policy, and of one that breaks it (Pod Security, a forbidden
                                capability). The cluster has ${rbac.namespaces * (rbac.roles + rbac.bindings)} Roles and RoleBindings of ours.
review/bare-*                   a bare node:https server in a process of its own with the same certificate, which reads and
                                parses the same body and sends a fixed answer.
…-10, …-50                      at ${connections.join(' and ')} connections; …-${manyPolicies}-policies: with ${manyPolicies} policies that all judge.
review/rss                      the webhook's memory afterwards.

One load generator, in a process of its own, which checks every answer; ${rounds} rounds of ${roundMillis / 1000} s in turns, medians. The bodies
are left in bench/corpus: bench/endpoint.ts sends them to any other admission endpoint.
Goals: with one policy half of the bare server's reviews per second, with ${manyPolicies} 0.35 of them; at 50 connections 8,000 a second with a
p99 of 15 ms; 0.12 ms of processor for a review.`,
  measure: () => withLapse(measure),
}

type Generator = Peer<LoadQuestion, LoadAnswer>
type Bare = Peer<BareServerQuestion, BareServerAnswer>
type Target = Omit<LoadQuestion, 'connections' | 'millis'>
type Targets = Readonly<Record<'lapse' | 'bare', Readonly<Record<Kind, Target>>>>

async function measure(cluster: LapseCluster): Promise<readonly Measurement[]> {
  const bodies = await prepareBodies(cluster)
  await saveCorpus(bodies)
  const generator: Generator = startPeer(join(import.meta.dirname, 'support/load-generator.ts'))
  const bare: Bare = startPeer(join(import.meta.dirname, 'support/bare-server.ts'))
  try {
    const targets = await targetsOf(cluster, bare, bodies)
    const { pid } = cluster.lapse.webhook
    const one = await measureAll(generator, targets, pid, '')
    await applyPolicies(cluster.api, manyPolicies, 1)
    await judgedByAll(cluster)
    const many = await measureAll(generator, targets, pid, `-${manyPolicies}-policies`)
    const { residentMegabytes } = await costOf(pid)
    return [...one, ...many, measurement('review/rss', residentMegabytes, 'MB')]
  } finally {
    await Promise.all([generator.stop(), bare.stop()])
  }
}

async function saveCorpus(bodies: Bodies): Promise<void> {
  await mkdir(corpus, { recursive: true })
  for (const [kind, body] of Object.entries(bodies)) await writeFile(join(corpus, `${kind}.json`), body)
}

/** A pin of the last policy is right only for a webhook that knows it, and that knows those before it too. */
async function judgedByAll({ api, namespace }: LapseCluster): Promise<void> {
  const pinned = deployment(namespace, 'app', 'passing')
  pinned['spec'].template.metadata.annotations['lapse.dev/policy'] += `,${policyName}-${manyPolicies - 1}@1.0.0`
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`
  await eventually('the webhook judges by every policy', () => api.create(path, pinned))
}

/** Every target under every load in turns, so that what else the machine does falls to all alike. */
async function measureAll(
  generator: Generator,
  targets: Targets,
  pid: number,
  suffix: string,
): Promise<readonly Measurement[]> {
  const loads = connections.flatMap((count) =>
    (['passing', 'failing'] as const).map((kind) => ({ kind, count, lapse: new Load(), bare: new Load() })),
  )
  progress(`${loads.length * 2} loads${suffix.replaceAll('-', ' ')}, ${rounds} rounds after a warm-up`)
  for (let round = -1; round < rounds; round++) {
    for (const { kind, count, ...answers } of loads) {
      for (const server of ['lapse', 'bare'] as const) {
        const question = {
          ...targets[server][kind],
          connections: count,
          millis: round < 0 ? warmUpMillis : roundMillis,
        }
        const before = await costOf(pid)
        const answer = await generator.ask(question)
        const after = await costOf(pid)
        if (answer.failure !== null) throw new Error(`not the answer that was expected: ${answer.failure}`)
        if (round >= 0) answers[server].add(answer, after.cpuSeconds - before.cpuSeconds)
      }
    }
  }
  const bound = suffix === '' ? 0.5 : 0.35
  return loads.flatMap((load) => figures(`${load.kind}-${load.count}${suffix}`, load.lapse, load.bare, bound))
}

/** What came of all rounds of one load on one server. */
class Load {
  readonly #answers: LoadAnswer[] = []
  #cpuSeconds = 0

  add(answer: LoadAnswer, cpuSeconds: number): void {
    this.#answers.push(answer)
    this.#cpuSeconds += cpuSeconds
  }

  median(figure: 'perSecond' | 'p50' | 'p90' | 'p99'): number {
    return median(this.#answers.map((answer) => answer[figure]))
  }

  /** Of the webhook's processor, in ms. */
  get cpuPerReview(): number {
    return (this.#cpuSeconds * 1_000) / this.#answers.reduce((sum, { count }) => sum + count, 0)
  }
}

function figures(name: string, lapse: Load, bare: Load, bound: number): readonly Measurement[] {
  const isOne = bound === 0.5
  const isMany = name.includes('-50')
  const bareRate = measurement(`review/bare-${name}`, bare.median('perSecond'), '1/s')
  const bareP99 = measurement(`review/bare-${name}-p99`, bare.median('p99'), 'ms')
  const p99 = isMany && isOne ? { goal: { of: 'value', is: '≤', bound: 15 } as const } : {}
  const cpu = isOne ? { goal: { of: 'value', is: '≤', bound: 0.12 } as const } : {}
  return [
    measurement(`review/${name}`, lapse.median('perSecond'), '1/s', {
      against: bareRate,
      goal: { of: 'ratio', is: '≥', bound },
    }),
    measurement(`review/${name}-p50`, lapse.median('p50'), 'ms'),
    measurement(`review/${name}-p90`, lapse.median('p90'), 'ms'),
    measurement(`review/${name}-p99`, lapse.median('p99'), 'ms', { against: bareP99, ...p99 }),
    measurement(`review/${name}-cpu`, lapse.cpuPerReview, 'ms', cpu),
    bareRate,
    bareP99,
  ]
}

async function targetsOf({ api, lapse }: LapseCluster, bare: Bare, bodies: Bodies): Promise<Targets> {
  const { data } = await api.get(`/api/v1/namespaces/${lapse.namespace}/secrets/lapse-webhook-tls`)
  const pem = (name: string): string => Buffer.from(data[name] as string, 'base64').toString('utf8')
  const { port } = await bare.ask({ certificate: pem('tls.crt'), key: pem('tls.key') })
  const tls = { ca: pem('ca.crt'), servername: `lapse-webhook.${lapse.namespace}.svc`, path: '/v1/admit/workloads' }
  const webhook = { ...tls, port: lapse.webhook.localPort('webhook') }
  const allowed = '"allowed":true'
  return {
    lapse: {
      passing: { ...webhook, body: bodies.passing, expected: allowed },
      failing: { ...webhook, body: bodies.failing, expected: '"allowed":false' },
    },
    bare: {
      passing: { ...tls, port, body: bodies.passing, expected: allowed },
      failing: { ...tls, port, body: bodies.failing, expected: allowed },
    },
  }
}

if (import.meta.main) process.exitCode = await runAlone(review)
