import type { AuditSink } from '../audit/ports.ts'
import type { ClusterClient, EventSink, ObjectKey } from '../cluster/ports.ts'
import type { Instant, Millis } from '../core/time.ts'
import type { ClusterGrantTerms } from '../core/world.ts'
import type { TwoSidedClock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { after, done, WorkQueue, type Outcome, type Worker, type WorkQueueOptions } from '../runtime/queue.ts'
import type { QueueObserver } from '../runtime/queue-observer.ts'
import { WorldIndex } from '../world/world-index.ts'
import { PoolGuard } from './access-policy/pool-bindings.ts'
import { PolicyReconciler } from './access-policy/reconciler.ts'
import { PolicyStore } from './access-policy/policy-store.ts'
import { Carriers } from './nhi-grant/carriers.ts'
import { ApprovalIndex } from './nhi-grant/approval-index.ts'
import { EvidenceRecorder } from './nhi-grant/evidence-recorder.ts'
import { GrantStore } from './nhi-grant/grant-store.ts'
import { noUntilObjects, type UntilObjects } from './nhi-grant/until-objects.ts'
import { Healer, type DriftObserver } from './nhi-grant/heal.ts'
import { endOnRecord } from './nhi-grant/observe.ts'
import { OrphanSweep } from './nhi-grant/orphan-sweep.ts'
import { GrantReconciler, type GrantObserver } from './nhi-grant/reconciler.ts'
import { StrayBindings } from './nhi-grant/stray-bindings.ts'
import { feed, watchAll, type ControllerCaches } from './watch.ts'

export interface ControllerParts {
  readonly client: ClusterClient
  readonly events: EventSink
  readonly audit: AuditSink
  readonly caches: ControllerCaches
  /** Omitted: nothing is known of what grants may end with. */
  readonly untilObjects?: UntilObjects
  readonly clock: TwoSidedClock
  readonly log: Log
  readonly poolSize: number
  readonly bindableClusterRoles: readonly string[]
  /** Where grants may have an identity and a token of their own. Omitted: nowhere. */
  readonly credentialNamespaces?: readonly string[]
  /** Omitted: the operator gives no access to the whole cluster. */
  readonly clusterGrants?: ClusterGrantTerms
  readonly observer: GrantObserver & DriftObserver & { queue(name: string): QueueObserver }
  /** In [0, 1); spreads retries. */
  readonly random: () => number
}

type QueueLimits = Pick<WorkQueueOptions, 'concurrency' | 'reserved' | 'longestBackoff'>

/** Grants are I/O-bound: a burst of ends is removed side by side. */
const grantWorkers = 64
/** Left for ends: a proof or an issue asks much at a time, and a removal must not wait behind it for a worker. */
const endWorkers = 16
/** Each may evict many Pods at once. */
const evictionWorkers = 4
/** An end that could not be carried out is overdue, as is a stray binding's: it is not left lying for long once the API server is back. */
const grantBackoff = 5_000
/** How many grants a policy has is written at most once in this time. */
const countInterval: Millis = 1_000
/** Orphans are looked for at the start and then at this interval. */
const sweepInterval: Millis = 600_000
/**
 * For so long the caches may differ on whether a binding has a grant; what differs then is swept. Only bindings: a Role gives
 * nothing without one, and can wait for the sweep of every interval.
 */
const strayPatience: Millis = 1_000

/** Both reconcilers and the sweep of orphans with their queues. Start it once every cache has synced: it hears of changes from then on. */
export class Controllers {
  readonly #queues: readonly WorkQueue[]
  /** Begins to hear of changes: what nobody works on is not collected. */
  readonly #follow: () => void

  constructor(parts: ControllerParts) {
    const { client, events, caches, clock, log, observer, random, audit, untilObjects = noUntilObjects } = parts
    const { clusterGrants = { enabled: false, approvalNamespace: '' } } = parts
    const world = new WorldIndex({ credentialNamespaces: new Set(parts.credentialNamespaces ?? []), clusterGrants })
    feedAll(caches, world)
    const policies = new PolicyStore(caches, world)
    const approvals = new ApprovalIndex(clusterGrants.approvalNamespace)
    caches.approvals.subscribe((change) => approvals.apply(change))
    const grants = new GrantStore(caches, world, approvals)
    const { poolSize, bindableClusterRoles } = parts
    const policyReconciler = new PolicyReconciler({
      client,
      store: policies,
      poolSize,
      bindableClusterRoles,
      events,
      observer,
      clock,
      log,
    })
    const carriers = new Carriers(caches)
    const healer = new Healer({ client, store: grants, carriers, events, clock, log, observer })
    const grantReconciler = new GrantReconciler({
      client,
      store: grants,
      healer,
      untilObjects,
      events,
      audit,
      clock,
      log,
      observer,
      remind: (key, at) => grantQueue.addAt(`${key.namespace}/${key.name}`, at),
      remindOfPods: (key) => evictionQueue.add(`${key.namespace}/${key.name}`),
    })
    const orphanSweep = new OrphanSweep({
      client,
      grants: caches.grants,
      evidence: new EvidenceRecorder(parts),
      log,
      clusterGrants: clusterGrants.enabled,
    })
    const strays = new StrayBindings(clock)
    const queueOf = (name: string, worker: Worker, limits: QueueLimits = {}): WorkQueue =>
      new WorkQueue({ name, worker, ...limits, clock, log, random, observer: observer.queue(name) })
    const policyQueue = queueOf('accesspolicy', (name) => policyReconciler.reconcile(name))
    const grantQueue = queueOf('nhigrant', (key) => grantReconciler.reconcile(keyOf(key)), {
      concurrency: grantWorkers,
      reserved: endWorkers,
      longestBackoff: grantBackoff,
    })
    const evictionQueue = queueOf('evictions', (key) => grantReconciler.evictPods(keyOf(key)), {
      concurrency: evictionWorkers,
    })
    const sweepQueue = queueOf('orphans', () => orphanSweep.run().then(() => after(sweepInterval)))
    const sweepStrays = async (): Promise<Outcome> => {
      const { age } = strays
      if (age === null) return done
      if (age < strayPatience) return after(strayPatience - age)
      return orphanSweep.run().then(() => done)
    }
    const poolGuard = new PoolGuard({ ...caches, client, events, log, observer })
    const poolQueue = queueOf('pool', () => poolGuard.run().then(() => after(sweepInterval)))
    poolQueue.add('all')
    const strayQueue = queueOf('strays', sweepStrays, { longestBackoff: grantBackoff })
    sweepQueue.add('all')
    this.#follow = () => {
      forgetWhatIsGone(caches, policies, grants)
      untilObjects.follow(caches.grants, (key) => grantQueue.add(`${key.namespace}/${key.name}`))
      watchAll(caches, {
        policy: (name) => policyQueue.add(name),
        policyCount: (name) => policyQueue.addAfter(name, countInterval),
        grant: (key) => grantQueue.add(`${key.namespace}/${key.name}`),
        // a version ends by one write, which is to be on its way before thousands of grants are looked at
        grantsOfPolicy: (keys) =>
          void clock.after(0, () => keys.forEach((key) => grantQueue.add(`${key.namespace}/${key.name}`))),
      })
      scheduleEnds(caches, (key, end) => grantQueue.addAt(`${key.namespace}/${key.name}`, end))
      carriers.follow((key) => grantQueue.add(`${key.namespace}/${key.name}`))
      strays.follow(caches, () => strayQueue.addAfter('all', strayPatience))
    }
    this.#queues = [grantQueue, evictionQueue, policyQueue, sweepQueue, strayQueue, poolQueue]
  }

  /**
   * Starts once everything was listed anew: what the one wrote last whose place this takes may not be in the caches yet, and
   * who does not know of a grant neither ends it nor counts it. Rejects when a cache is stopped before.
   */
  async takeOver(reflectors: readonly { refresh(): Promise<void> }[]): Promise<void> {
    await Promise.all(reflectors.map((reflector) => reflector.refresh()))
    this.start()
  }

  /** At once: only where nobody else can have written since the caches were listed. */
  start(): void {
    this.#follow()
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
  feed(caches.suspensions, 'NHISuspension', world)
  feed(caches.namespaces, 'Namespace', world)
  feed(caches.serviceAccounts, 'ServiceAccount', world)
  feed(caches.clusterRoles, 'ClusterRole', world)
}

/** Corrections to a cache must not outlive the object. */
function forgetWhatIsGone(caches: ControllerCaches, policies: PolicyStore, grants: GrantStore): void {
  caches.policies.subscribe((change) => {
    if (change.after === null) policies.forgetPolicy(change.key.name)
  })
  caches.revisions.subscribe((change) => {
    if (change.after === null) policies.forgetRevision(change.key.name)
  })
  caches.grants.subscribe((change) => {
    if (change.after !== null) grants.caughtUp(change.after)
    else if (change.before !== null) grants.remember(change.before)
  })
}

/** From the first look on: after a start what is overdue goes before all that is only looked at again. */
function scheduleEnds({ grants }: ControllerCaches, schedule: (key: ObjectKey, end: Instant) => void): void {
  grants.subscribe(({ key, after: grant }) => {
    const end = grant === null ? null : endOnRecord(grant)
    if (end !== null) schedule(key, end)
  })
}

function keyOf(text: string): { readonly namespace: string; readonly name: string } {
  const slash = text.indexOf('/')
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}
