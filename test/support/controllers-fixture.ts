import { setTimeout as delay } from 'node:timers/promises'

import type {
  AccessPolicy,
  AccessPolicyRevision,
  NHIGrant,
  NHIGrantApproval,
  NHISuspension,
} from '../../src/api/v1alpha1/objects.ts'
import type { AuditSink } from '../../src/audit/ports.ts'
import { KubeClient } from '../../src/cluster/client.ts'
import { loadConnection } from '../../src/cluster/connection.ts'
import type { Selection } from '../../src/cluster/paged-list.ts'
import type { ClusterClient, EventSink, KubeObject, MetadataOnly } from '../../src/cluster/ports.ts'
import { KubeObjectWatcher } from '../../src/cluster/object-watcher.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import { resources, type ResourceType } from '../../src/cluster/resources.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { Controllers, type ControllerParts } from '../../src/controllers/controllers.ts'
import { carriesGrant } from '../../src/controllers/marks.ts'
import { carrierOf, type GrantCarrier } from '../../src/controllers/nhi-grant/carrier.ts'
import { WatchedUntilObjects } from '../../src/controllers/nhi-grant/watched-until-objects.ts'
import { withClusterGrants } from '../../src/controllers/watch.ts'
import type { Instant, Millis } from '../../src/core/time.ts'
import { systemClock, type TwoSidedClock } from '../../src/runtime/clock.ts'
import { silentLog, type Log } from '../../src/runtime/log.ts'
import { createMetrics } from '../../src/runtime/metrics.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { installChart } from './installation.ts'
import { InterceptedClient, type Interceptor } from './intercepted-client.ts'
import { PartOfCache } from './part-of-cache.ts'
import { isWithin, listingWithin, type TestScope } from './test-scope.ts'

/** The system's time, moved on. What waits for its time waits as long as it would have. */
export class MovableClock implements TwoSidedClock {
  #ahead: Millis = 0

  now(): Instant {
    return systemClock.now() + this.#ahead
  }

  earliest(): Instant {
    return this.now()
  }

  monotonic(): Millis {
    return systemClock.monotonic()
  }

  after(wait: Millis, action: () => void): () => void {
    return systemClock.after(wait, action)
  }

  move(by: Millis): void {
    this.#ahead += by
  }
}

export interface RunOptions {
  /** Default: every call is made. */
  readonly intercept?: Interceptor
  /** One that is trusted hears the dates of the API server. Default: the system's, trusted. */
  readonly clock?: TwoSidedClock
  /** Default 256, as the chart's. */
  readonly poolSize?: number
  /** Default: those of test-values.yaml. */
  readonly bindableClusterRoles?: readonly string[]
  /** Default: none. The RBAC that it takes there is the test's to apply. */
  readonly credentialNamespaces?: readonly string[]
  /** Whether grants for the whole cluster are issued. Default: they are not seen. */
  readonly clusterGrants?: boolean
  /** All that they see of policies, grants and what carries them. Default: everything. */
  readonly scope?: TestScope
  /** They are a standby until then. Default: they lead from the start. */
  readonly elected?: Promise<void>
  /** How long the watch of a resource, by its plural, runs behind. */
  readonly lag?: Readonly<Record<string, Millis>>
  readonly log?: Log
  /** What they reach the API server through. Default: directly. */
  readonly through?: FaultProxy
  /** Where events go, by the connections of the controllers. Default: nowhere. */
  readonly events?: (transport: Transport) => EventSink
  /** Where evidence goes. Default: nowhere. */
  readonly audit?: AuditSink
}

/** The operator's controllers, in this process. */
export interface RunningControllers {
  /** Resolves when nothing of it runs any more. Idempotent. */
  stop(): Promise<void>
}

const operatorAccount = { namespace: 'lapse-system', name: 'lapse-controller' } as const

/** The name under which the operator appears in the audit log. */
export const operator = 'system:serviceaccount:lapse-system:lapse-controller'

/**
 * A control plane with the chart's CRDs and RBAC but without its webhook, so that what is tested is what the controllers
 * themselves see to. They run with the ServiceAccount that the chart gives the operator.
 */
export class ControllersFixture {
  readonly controlPlane: ControlPlane
  readonly #kubeconfig: string
  readonly #running = new Set<RunningControllers>()

  private constructor(controlPlane: ControlPlane, kubeconfig: string) {
    this.controlPlane = controlPlane
    this.#kubeconfig = kubeconfig
  }

  /** `values` of the chart, over those of test-values.yaml. */
  static async start(values: Readonly<Record<string, unknown>> = {}): Promise<ControllersFixture> {
    const controlPlane = await startControlPlane()
    try {
      await installChart(controlPlane, { values })
      const admission = '/apis/admissionregistration.k8s.io/v1'
      await controlPlane.admin.delete(`${admission}/validatingwebhookconfigurations/lapse`)
      await controlPlane.admin.delete(`${admission}/mutatingwebhookconfigurations/lapse`)
      const kubeconfig = await controlPlane.kubeconfigForServiceAccount(operatorAccount.namespace, operatorAccount.name)
      return new ControllersFixture(controlPlane, kubeconfig)
    } catch (error) {
      await controlPlane.stop()
      throw error
    }
  }

  /** Starts controllers; resolves once they work, or stand by. Each is as a process of its own: nothing is shared but the API server. */
  async run(options: RunOptions = {}): Promise<RunningControllers> {
    const { clock = new TrustedClock(systemClock), log = silentLog } = options
    const kubeconfig = (await options.through?.kubeconfig(operatorAccount)) ?? this.#kubeconfig
    const connection = await loadConnection({ kubeconfig, clock: systemClock })
    const witness = clock instanceof TrustedClock ? { witness: clock } : {}
    const transport = new Transport({ connection, clock: systemClock, random: Math.random, ...witness })
    const caches = cachesOf(transport, options)
    const wide = clusterCachesOf(transport, options)
    const client = clientOf(transport, options)
    const watcher = new KubeObjectWatcher({ transport, clock: systemClock, log, random: Math.random })
    const untilObjects = new WatchedUntilObjects(watcher)
    const controllers = new Controllers({
      client,
      events: options.events?.(transport) ?? { record: () => {} },
      audit: options.audit ?? { write: () => Promise.resolve() },
      ...wholeOf(caches, wide, options),
      untilObjects,
      clock,
      log,
      poolSize: options.poolSize ?? 256,
      bindableClusterRoles: options.bindableClusterRoles ?? ['view-logs-test'],
      ...credentialsOf(options),
      observer: createMetrics({ version: 'test' }),
      random: Math.random,
    })
    const reflectors = Object.values({ ...caches, ...wide })
    let ended: Promise<void> | null = null
    const end = async (): Promise<void> => {
      await controllers.drain()
      await Promise.all([...reflectors, untilObjects].map((watches) => watches.stop()))
      await transport.close()
    }
    const running: RunningControllers = {
      stop: () => {
        this.#running.delete(running)
        return (ended ??= end())
      },
    }
    this.#running.add(running)
    for (const reflector of reflectors) reflector.start()
    await Promise.all(reflectors.map((reflector) => reflector.whenSynced()))
    if (options.elected === undefined) controllers.start()
    else void options.elected.then(() => controllers.takeOver(reflectors)).catch(() => {}) // they are stopped already
    return running
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()))
    await this.controlPlane.stop()
  }
}

function clientOf(transport: Transport, { scope, intercept }: RunOptions): ClusterClient {
  const client = new KubeClient(transport)
  const isBounded = scope !== undefined && scope.sweepsEverywhere !== true
  const scoped = isBounded ? new InterceptedClient(client, listingWithin(scope)) : client
  return intercept === undefined ? scoped : new InterceptedClient(scoped, intercept)
}

function credentialsOf({ credentialNamespaces = [] }: RunOptions): Pick<ControllerParts, 'credentialNamespaces'> {
  return { credentialNamespaces }
}

type Caches = ControllerParts['caches']
type Reflectors = { readonly [K in keyof Caches]: Reflector<NonNullable<ReturnType<Caches[K]['get']>>> }

function cachesOf(transport: Transport, { scope, clusterGrants, lag = {}, log = silentLog }: RunOptions): Reflectors {
  // what is said of grants for the whole cluster is in another namespace
  const approvals: Selection = scope !== undefined && clusterGrants === undefined ? { namespace: scope.namespace } : {}
  const carriers: Selection = { labelSelector: carriesGrant, ...(scope && { namespace: scope.namespace }) }
  const reflect = <T>(
    type: ResourceType,
    selection: Selection = {},
    transform?: (object: KubeObject) => T,
  ): Reflector<T> => {
    const late = lag[type.plural]
    return new Reflector<T>({
      type,
      transport: late === undefined ? transport : lagging(transport, late),
      clock: systemClock,
      log,
      random: Math.random,
      ...selection,
      ...(transform !== undefined && { transform }),
    })
  }
  return {
    policies: reflect<AccessPolicy>(resources.accessPolicies, scope && { labelSelector: `policy=${scope.policy}` }),
    revisions: reflect<AccessPolicyRevision>(
      resources.accessPolicyRevisions,
      scope && { labelSelector: `lapse.dev/policy=${scope.policy}` },
    ),
    grants: reflect<NHIGrant>(resources.nhiGrants, scope && { namespace: scope.namespace }),
    approvals: reflect<NHIGrantApproval>(resources.nhiGrantApprovals, approvals),
    suspensions: reflect<NHISuspension>(resources.nhiSuspensions),
    namespaces: reflect<MetadataOnly>(resources.namespaces, { form: 'metadata' }),
    serviceAccounts: reflect<MetadataOnly>(resources.serviceAccounts, { form: 'metadata' }),
    clusterRoles: reflect<KubeObject>(resources.clusterRoles),
    grantBindings: reflect<GrantCarrier>(resources.roleBindings, carriers, carrierOf),
    grantRoles: reflect<GrantCarrier>(resources.roles, carriers, carrierOf),
  }
}

function wholeOf(
  caches: Caches,
  wide: ReturnType<typeof clusterCachesOf>,
  { clusterGrants: enabled = false, scope }: RunOptions,
): Pick<ControllerParts, 'caches' | 'clusterGrants'> {
  if (wide === null) return { caches }
  const { clusterGrants: grants, clusterGrantBindings: bindings } = wide
  const own = bindings !== undefined && scope !== undefined ? new PartOfCache(bindings, isWithin(scope)) : bindings
  const clusterGrants = { enabled, approvalNamespace: operatorAccount.namespace }
  const all = { clusterGrants: grants, ...(own !== undefined && { clusterGrantBindings: own }) }
  return { caches: withClusterGrants(caches, all), clusterGrants }
}

interface WideReflectors {
  readonly clusterGrants: Reflector<NHIGrant>
  readonly clusterGrantBindings?: Reflector<GrantCarrier>
}

function clusterCachesOf(
  transport: Transport,
  { clusterGrants, scope, log = silentLog }: RunOptions,
): WideReflectors | null {
  if (clusterGrants === undefined) return null
  const base = { transport, clock: systemClock, log, random: Math.random }
  const ofScope = scope && { labelSelector: `policy=${scope.policy}` }
  const grants = new Reflector<NHIGrant>({ type: resources.clusterNhiGrants, ...ofScope, ...base })
  if (!clusterGrants) return { clusterGrants: grants }
  const type = resources.clusterRoleBindings
  const selection = { labelSelector: carriesGrant, transform: carrierOf }
  return {
    clusterGrants: grants,
    clusterGrantBindings: new Reflector<GrantCarrier>({ type, ...selection, ...base }),
  }
}

function lagging(transport: Transport, late: Millis): Pick<Transport, 'call' | 'watch'> {
  return {
    call: (...call) => transport.call(...call),
    async *watch(...watch) {
      for await (const event of transport.watch(...watch)) {
        await delay(late, undefined, { signal: watch[1].signal })
        yield event
      }
    },
  }
}
