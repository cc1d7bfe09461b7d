import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Millis } from '../core/time.ts'
import { queueMetrics } from './queue-metrics.ts'
import type { QueueObserver } from './queue-observer.ts'
import { type Reaped, reaperMetrics } from './reaper-metrics.ts'
import { scanMetrics, type Scanned } from './scan-metrics.ts'

export interface BuildInfo {
  readonly version: string
}

export interface GrantOutcome {
  readonly policy: string
  readonly namespace: string
  /** A phase that a grant reached: Active, Denied, Expired, Completed, Revoked. */
  readonly outcome: string
}

export interface ReviewOutcome {
  readonly webhook: string
  /** allow, warn, deny, error. */
  readonly verdict: string
  readonly duration: Millis
}

export interface RequestOutcome {
  readonly method: string
  /** The status, or `<error>` when there was no answer. */
  readonly code: string
}

/** Everything that a process of Lapse tells Prometheus. Labels never name single objects or requesters. */
export interface Metrics {
  /** A work queue and its reconciles, under the names that controller-runtime uses. */
  queue(name: string): QueueObserver
  /** For how long access outlived its notAfter. */
  overstay(duration: Millis): void
  grant(outcome: GrantOutcome): void
  /** What carries a grant, or a policy, was not as it was made: what was wrong with it and what became of it, both of a closed list. */
  drift(found: { readonly kind: string; readonly outcome: string }): void
  review(outcome: ReviewOutcome): void
  /** A request to the API server was answered, or was not. */
  request(outcome: RequestOutcome): void
  /** An event could not be written. */
  eventDropped(): void
  /** `leads` is read at each scrape: whether this process holds the lease of that name. */
  leading(lease: string, leads: () => boolean): void
  /** A watch broke and was opened again; resource is the plural. */
  watchRestarted(resource: string): void
  /** A subscriber of a cache threw. */
  handlerFailed(resource: string): void
  /** `age` is read at each scrape: the time since the API server was last heard on this cache, null before the first. */
  cacheAge(resource: string, age: () => Millis | null): void
  /** The scans of this process, from now on; what it returns takes in the outcome of each. Once. */
  scans(): (scanned: Scanned) => void
  /** The removals of a reaper, from now on; what it returns takes in each. Once. */
  reaps(): (reaped: Reaped) => void
  /** Any further gauge whose value is read at each scrape. */
  gauge(name: string, help: string, read: () => number): void
  /** One whose value is read for each policy; a policy that is not told of has none. */
  gaugeByPolicy(name: string, help: string, read: () => ReadonlyMap<string, number>): void
  /** The exposition format of Prometheus. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>
}

const overstayBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600]
const reviewBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics({ version }: BuildInfo): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers })
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: L[]
  ): Histogram<L> => new Histogram({ name, help, buckets, labelNames, registers })

  collectDefaultMetrics({ register: registry })
  buildInfo(registry, version)
  const queues = queueMetrics(registry)
  const overstay = histogram('lapse_overstay_seconds', 'For how long access outlived its notAfter.', overstayBuckets)
  const grants = counter(
    'lapse_grants_total',
    'Grants by the outcome that they reached.',
    'policy',
    'namespace',
    'outcome',
  )
  const drift = counter(
    'lapse_drift_total',
    'Objects of the operator that were not as it had made them.',
    'kind',
    'outcome',
  )
  const reviews = counter('lapse_admission_reviews_total', 'Admission reviews by verdict.', 'webhook', 'verdict')
  const reviewTime = histogram(
    'lapse_admission_duration_seconds',
    'The time that a review took in this process.',
    reviewBuckets,
    'webhook',
  )
  const requests = counter(
    'rest_client_requests_total',
    'Requests to the API server by method and status.',
    'method',
    'code',
  )
  const droppedEvents = counter('lapse_events_dropped_total', 'Events that could not be written and are lost.')
  const restarts = counter('lapse_watch_restarts_total', 'Watches that broke and were opened again.', 'resource')
  const handlerFailures = counter(
    'lapse_cache_handler_failures_total',
    'Subscribers of a cache that threw.',
    'resource',
  )
  const ages = new Map<string, () => Millis | null>()
  registry.registerMetric(cacheAge(ages))
  return {
    queue: (name) => queues(name),
    overstay: (duration) => overstay.observe(duration / 1_000),
    grant: ({ policy, namespace, outcome }) => grants.inc({ policy, namespace, outcome }),
    drift: ({ kind, outcome }) => drift.inc({ kind, outcome }),
    review: ({ webhook, verdict, duration }) => {
      reviews.inc({ webhook, verdict })
      reviewTime.observe({ webhook }, duration / 1_000)
    },
    request: ({ method, code }) => requests.inc({ method, code }),
    eventDropped: () => droppedEvents.inc(),
    leading: (name, leads) => registry.registerMetric(leadership(name, leads)),
    watchRestarted: (resource) => restarts.inc({ resource }),
    handlerFailed: (resource) => handlerFailures.inc({ resource }),
    cacheAge: (resource, age) => void ages.set(resource, age),
    scans: () => scanMetrics(registry),
    reaps: () => reaperMetrics(registry),
    gauge: (name, help, read) => registry.registerMetric(gaugeOf(name, help, read)),
    gaugeByPolicy: (name, help, read) => registry.registerMetric(gaugeByPolicy(name, help, read)),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}

function buildInfo(registry: Registry, version: string): void {
  const labelNames = ['version', 'node'] as const
  const info = new Gauge({
    name: 'lapse_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames,
    registers: [registry],
  })
  info.set({ version, node: process.version }, 1)
}

function gaugeOf(name: string, help: string, read: () => number): Gauge {
  return new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read())
    },
  })
}

function gaugeByPolicy(name: string, help: string, read: () => ReadonlyMap<string, number>): Gauge<'policy'> {
  return new Gauge({
    name,
    help,
    labelNames: ['policy'],
    registers: [],
    collect() {
      this.reset()
      for (const [policy, value] of read()) this.set({ policy }, value)
    },
  })
}

function cacheAge(ages: ReadonlyMap<string, () => Millis | null>): Gauge<'resource'> {
  return new Gauge({
    name: 'lapse_cache_age_seconds',
    help: 'The time since the API server was last heard on the watch of a cache.',
    labelNames: ['resource'],
    registers: [],
    collect() {
      for (const [resource, age] of ages) {
        const millis = age()
        if (millis !== null) this.set({ resource }, millis / 1_000)
      }
    },
  })
}

/** As in controller-runtime. */
function leadership(name: string, leads: () => boolean): Gauge<'name'> {
  return new Gauge({
    name: 'leader_election_master_status',
    help: '1 in the process that holds the lease, 0 in the others.',
    labelNames: ['name'],
    registers: [],
    collect() {
      this.set({ name }, leads() ? 1 : 0)
    },
  })
}
