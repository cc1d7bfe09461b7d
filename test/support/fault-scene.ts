import { isDeepStrictEqual } from 'node:util'

import { KubeClient } from '../../src/cluster/client.ts'
import { loadConnection } from '../../src/cluster/connection.ts'
import type { KubeObject } from '../../src/cluster/ports.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import type { ResourceType } from '../../src/cluster/resources.ts'
import { Transport } from '../../src/cluster/transport.ts'
import type { Millis } from '../../src/core/time.ts'
import { systemClock, type Clock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { ChangeLedger, versionOf } from './change-ledger.ts'
import { Churn } from './churn.ts'
import type { ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { FaultProxy } from './fault-proxy.ts'
import { ProcessWatch } from './own-process.ts'

export const configMaps: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
}

/** What the reflector's back-off allows: at least half of 100 ms lie between the end of a watch and the next. */
export const mostWatchesInASecond = 21

export interface FaultSceneOptions {
  readonly controlPlane: ControlPlane
  /** Of the client and the reflector. Default: the system's. */
  readonly clock?: Clock
}

/** The cluster client behind a proxy that misbehaves, with a reflector of the ConfigMaps of a namespace of its own. */
export class FaultScene {
  readonly proxy: FaultProxy
  readonly namespace: string
  readonly transport: Transport
  readonly client: KubeClient
  readonly reflector: Reflector
  /** Of twenty of these ConfigMaps, past the proxy. */
  readonly churn: Churn
  readonly ledger = new ChangeLedger()
  #restarts = 0
  #handlerFailures = 0
  readonly #controlPlane: ControlPlane
  readonly #process = new ProcessWatch()

  private constructor(
    controlPlane: ControlPlane,
    proxy: FaultProxy,
    namespace: string,
    transport: Transport,
    clock: Clock,
  ) {
    this.#controlPlane = controlPlane
    this.proxy = proxy
    this.namespace = namespace
    this.transport = transport
    this.client = new KubeClient(transport)
    this.churn = new Churn(controlPlane.admin, namespace, 20)
    const observer = {
      watchRestarted: () => void (this.#restarts += 1),
      handlerFailed: () => void (this.#handlerFailures += 1),
      cacheAge: () => {},
    }
    const options = { type: configMaps, namespace, transport, clock, log: silentLog, random: Math.random, observer }
    this.reflector = new Reflector(options)
    this.#process.begin()
  }

  /** There are ConfigMaps; the reflector is not started yet. One of its handlers keeps the ledger, another one always throws. */
  static async set({ controlPlane, clock = systemClock }: FaultSceneOptions): Promise<FaultScene> {
    const namespace = await controlPlane.namespace()
    const published = `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`
    await eventually('the namespace has the ConfigMap of every namespace', () => controlPlane.admin.get(published))
    const proxy = await FaultProxy.start(controlPlane)
    const connection = await loadConnection({ kubeconfig: await proxy.kubeconfig(), clock: systemClock })
    const transport = new Transport({ connection, clock, random: Math.random })
    const scene = new FaultScene(controlPlane, proxy, namespace, transport, clock)
    scene.reflector.subscribe(() => {
      throw new Error('this handler never works')
    })
    scene.reflector.subscribe((change) => scene.ledger.take(change))
    await scene.churn.write(40)
    return scene
  }

  /** Starts the reflector; resolves when it has caught up with what there is. */
  async start(): Promise<void> {
    this.churn.forgetPast()
    this.reflector.start()
    await this.caughtUp()
  }

  /** How often the reflector found its watch broken. */
  get restarts(): number {
    return this.#restarts
  }

  /** How often a handler of the reflector threw. */
  get handlerFailures(): number {
    return this.#handlerFailures
  }

  /** Resolves when the cache shows what the API server lists, to the last byte of the data. */
  async caughtUp(within: Millis = 20_000): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/configmaps`
    await eventually(
      'the cache shows what the API server lists',
      async () =>
        isDeepStrictEqual(contentOf(this.reflector.list()), contentOf(await this.#controlPlane.admin.list(path))) ||
        undefined,
      within,
    )
  }

  /**
   * What is wrong with what the reflector told so far, as sentences; none if nothing is. `every`: each version that the
   * churn wrote was to be told. `last`: those in between may be missing, as after a re-list.
   */
  faults(versions: 'every' | 'last'): readonly string[] {
    const cached = new Map(this.reflector.list().map((object) => [object.metadata.name, versionOf(object)]))
    const fold = isDeepStrictEqual(this.ledger.fold(), cached) ? [] : ['the changes do not add up to the cache']
    const handlers = this.#handlerFailures === this.ledger.changes ? [] : ['a failure of a handler was not counted']
    return [
      ...fold,
      ...handlers,
      ...this.ledger.contradictions,
      ...this.ledger.departures(this.churn.history, versions),
    ]
  }

  /** Requests for the ConfigMaps of the namespace that came to the proxy, of that verb. */
  requests(verb: 'get' | 'list' | 'watch' | 'write'): FaultProxy['requests'] {
    return this.proxy.requests.filter((request) => request.verb === verb && request.path.includes(this.namespace))
  }

  /** Stops reflector and client. Fails if a connection stays open after that, or if this process took harm. */
  async end(): Promise<void> {
    try {
      await this.reflector.stop()
      await this.transport.close()
      await eventually('no connection is left', async () => this.proxy.link.openSockets === 0 || undefined)
      this.#process.end()
    } finally {
      await this.proxy.close()
    }
  }
}

interface ListedObject {
  readonly metadata?:
    | KubeObject['metadata']
    | { readonly name?: string; readonly uid?: string; readonly resourceVersion?: string }
  readonly [field: string]: unknown
}

function contentOf(objects: readonly ListedObject[]): ReadonlyMap<string | undefined, unknown> {
  return new Map(objects.map((object) => [object.metadata?.name, [versionOf(object), object['data']]]))
}
