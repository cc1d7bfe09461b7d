import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Millis } from '../core/time.ts'
import type { QueueObserver } from './queue-observer.ts'

/** As in controller-runtime: 10 ns to 1,000 s. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8))
/** As in controller-runtime. */
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
]

/** Registers the metrics of work queues and reconciles under controller-runtime's names; returns the observer of a queue. */
export function queueMetrics(registry: Registry): (name: string) => QueueObserver {
  const registers = [registry]
  const queueLabels = { labelNames: ['name', 'controller'] as const, registers }
  const reconcileLabels = { labelNames: ['controller'] as const, registers }
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Keys that wait for a worker.', ...queueLabels })
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Keys that were added.', ...queueLabels })
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys that came back after a failure.',
    ...queueLabels,
  })
  const waits = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long a key waited for a worker.',
    buckets: queueBuckets,
    ...queueLabels,
  })
  const work = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long a worker was busy with a key.',
    buckets: queueBuckets,
    ...queueLabels,
  })
  const reconciles = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by result.',
    labelNames: ['controller', 'result'] as const,
    registers,
  })
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that failed.',
    ...reconcileLabels,
  })
  const times = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long a reconcile took.',
    buckets: reconcileBuckets,
    ...reconcileLabels,
  })
  const limits = new Gauge({
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'How many keys are worked on at a time at most.',
    ...reconcileLabels,
  })
  const active = new Gauge({
    name: 'controller_runtime_active_workers',
    help: 'How many workers are busy.',
    ...reconcileLabels,
  })

  const unfinished = new Map<string, () => readonly Millis[]>()
  const agesOf = (name: string, help: string, sum: (ages: readonly Millis[]) => Millis): void => {
    void new Gauge({
      name,
      help,
      ...queueLabels,
      collect() {
        for (const [queue, ages] of unfinished) this.set({ name: queue, controller: queue }, sum(ages()) / 1_000)
      },
    })
  }
  agesOf(
    'workqueue_unfinished_work_seconds',
    'For how long the busy workers have been at their keys, added up: it goes on rising when one is stuck.',
    (ages) => ages.reduce((total, age) => total + age, 0),
  )
  agesOf(
    'workqueue_longest_running_processor_seconds',
    'For how long the longest busy worker has been at its key.',
    (ages) => Math.max(0, ...ages),
  )

  return (name) => {
    const queue = { name, controller: name }
    const controller = { controller: name }
    errors.inc(controller, 0)
    retries.inc(queue, 0)
    return {
      depth: (size) => depth.set(queue, size),
      added: () => adds.inc(queue),
      retried: () => retries.inc(queue),
      started: (waited) => {
        waits.observe(queue, waited / 1_000)
        active.inc(controller)
      },
      finished: (result, took) => {
        active.dec(controller)
        work.observe(queue, took / 1_000)
        times.observe(controller, took / 1_000)
        reconciles.inc({ ...controller, result })
        if (result === 'error') errors.inc(controller)
      },
      workers: (limit) => limits.set(controller, limit),
      unfinished: (ages) => void unfinished.set(name, ages),
    }
  }
}
