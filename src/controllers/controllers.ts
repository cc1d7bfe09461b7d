import type { ClusterClient, EventSink } from '../cluster/ports.ts'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { again, WorkQueue } from '../runtime/queue.ts'
import type { QueueObserver } from '../runtime/queue-observer.ts'
import { WorldIndex } from '../world/world-index.ts'
import { PolicyReconciler } from './access-policy/reconciler.ts'
import { PolicyStore } from './access-policy/policy-store.ts'
import { GrantStore } from './nhi-grant/grant-store.ts'
import { OrphanSweep } from './nhi-grant/orphan-sweep.ts'
import { GrantReconciler, type GrantObserver } from './nhi-grant/reconciler.ts'
import { feed, watchAll, type ControllerCaches } from './watch.ts'

export interface ControllerParts {
  readonly client: ClusterClient
  readonly events: EventSink
  readonly caches: ControllerCaches
  readonly clock: Clock
  readonly log: Log
  readonly poolSize: number
  readonly bindableClusterRoles: readonly string[]
  readonly observer: GrantObserver & { queue(name: string): QueueObserver }
}

/** Grants are I/O-bound: a burst of ends is removed side by side. */
const grantWorkers = 32
/** An end that could not be carried out is overdue: it is not left lying for long once the API server is back. */
const grantBackoff = 5_000
/** How many grants a policy has is written at most once in this time. */
const countInterval: Millis = 1_000
/** Orphans are looked for at the start and then at this interval. */
const sweepInterval: Millis = 600_000

/** Both reconcilers and the sweep of orphans with their queues, subscribed to the caches. Start it once every cache has synced. */
export class Controllers {
  readonly #queues: readonly WorkQueue[]

  constructor(parts: ControllerParts) {
    const { client, events, caches, clock, log, observer } = parts
    const world = new WorldIndex()
    feedAll(caches, world)
    const policies = new PolicyStore(caches, world)
    const grants = new GrantStore(caches, world)
    const { poolSize, bindableClusterRoles } = parts
    const policyReconciler = new PolicyReconciler({
      client,
      store: policies,
      poolSize,
      bindableClusterRoles,
      events,
      clock,
      log,
    })
    const grantReconciler = new GrantReconciler({ client, store: grants, events, clock, log, observer })
    const policyQueue = new WorkQueue({
      name: 'accesspolicy',
      worker: (name) => policyReconciler.reconcile(name),
      clock,
      log,
      observer: observer.queue('accesspolicy'),
    })
    const grantQueue = new WorkQueue({
      name: 'nhigrant',
      worker: (key) => grantReconciler.reconcile(keyOf(key)),
      concurrency: grantWorkers,
      longestBackoff: grantBackoff,
      clock,
      log,
      observer: observer.queue('nhigrant'),
    })
    const orphanSweep = new OrphanSweep({ client, grants: caches.grants, log })
    const sweepQueue = new WorkQueue({
      name: 'orphans',
      worker: () => orphanSweep.run().then(() => again(clock.now() + sweepInterval)),
      clock,
      log,
      observer: observer.queue('orphans'),
    })
    sweepQueue.add('all')
    forgetWhatIsGone(caches, policies, grants)
    watchAll(caches, {
      policy: (name) => policyQueue.add(name),
      policyCount: (name) => policyQueue.addAt(name, clock.now() + countInterval),
      grant: (key) => grantQueue.add(`${key.namespace}/${key.name}`),
    })
    this.#queues = [grantQueue, policyQueue, sweepQueue]
  }

  start(): void {
    for (const queue of this.#queues) queue.start()
  }

  /** Resolves when what is being worked on is finished. */
  async drain(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.drain()))
  }
}

function feedAll(caches: ControllerCaches, world: WorldIndex): void {
  feed(caches.policies, 'AccessPolicy', world)
  feed(caches.revisions, 'AccessPolicyRevision', world)
  feed(caches.grants, 'NHIGrant', world)
  feed(caches.namespaces, 'Namespace', world)
  feed(caches.serviceAccounts, 'ServiceAccount', world)
  feed(caches.clusterRoles, 'ClusterRole', world)
}

/** Corrections to a cache must not outlive the object. */
function forgetWhatIsGone(caches: ControllerCaches, policies: PolicyStore, grants: GrantStore): void {
  caches.policies.subscribe(({ key, after }) => {
    if (after === null) policies.forgetPolicy(key.name)
  })
  caches.revisions.subscribe(({ key, after }) => {
    if (after === null) policies.forgetRevision(key.name)
  })
  caches.grants.subscribe(({ before, after }) => {
    if (after === null && before !== null) grants.remember(before)
  })
}

function keyOf(text: string): { readonly namespace: string; readonly name: string } {
  const slash = text.indexOf('/')
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}
