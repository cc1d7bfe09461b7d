import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { sleep } from '../runtime/sleep.ts'
import { ServerError, TooManyRequests, Unreachable } from './errors.ts'
import { acceptOf, listAll, type Selection, selectionPath, withKind } from './paged-list.ts'
import type { Cache, Change, KubeObject, ObjectKey } from './ports.ts'
import { ReconnectBackoff } from './reconnect.ts'
import { pathOf, type ResourceType } from './resources.ts'
import { errorOfStatus } from './status-error.ts'
import { idOf, Store } from './store.ts'
import type { Transport } from './transport.ts'

export interface ReflectorOptions<T> extends Selection {
  readonly type: ResourceType
  readonly transport: Pick<Transport, 'call' | 'watch'>
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1); spreads watches and retries. */
  readonly random: () => number
  readonly observer?: Pick<Metrics, 'watchRestarted' | 'handlerFailed' | 'cacheAge'>
  /** What is kept of an object; without it the object itself. One that throws keeps the cache from syncing. */
  readonly transform?: (object: KubeObject) => T
}

/** On a quiet watch the API server sends its first bookmark after up to two minutes and then one a minute (measured, 1.36). */
const idleLimit: Millis = 150_000
const shortestWatch: Millis = 1_000
const watchSeconds = { least: 300, spread: 300 } as const
/** A cache that was led astray, by whatever, is right again after this time and the rest of a watch. */
const relistAfter: Millis = 3_600_000

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject
}

/**
 * Keeps a local copy of all objects of one type: lists them, then watches from that point on. A watch that breaks is
 * opened again where it stopped; when the API server does not know that place any more, or sends nonsense, everything
 * is listed again and what vanished meanwhile is reported as removed.
 */
export class Reflector<T = KubeObject> implements Cache<T> {
  readonly #options: ReflectorOptions<T>
  readonly #store: Store<T>
  readonly #backoff: ReconnectBackoff
  readonly #handlers: ((change: Change<T>) => void)[] = []
  readonly #waiting = new Map<string, Set<(found: boolean) => void>>()
  readonly #synced = Promise.withResolvers<void>()
  #state: 'idle' | 'started' | 'stopped' = 'idle'
  #hasSynced = false
  /** Both by the monotonic clock. */
  #lastContact: Millis | null = null
  #lastListed: Millis = 0
  /** Where the next watch begins; null: list first. */
  #resourceVersion: string | null = null
  readonly #stopped = new AbortController()
  #loop: Promise<void> = Promise.resolve()

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.#store = new Store(options.transform ?? ((object) => object as T))
    this.#backoff = new ReconnectBackoff(options.random)
    this.#synced.promise.catch(() => {})
  }

  get hasSynced(): boolean {
    return this.#hasSynced
  }

  /** The time since the API server was last heard; null before the first time. */
  get age(): Millis | null {
    return this.#lastContact === null ? null : this.#options.clock.monotonic() - this.#lastContact
  }

  get #path(): string {
    return pathOf(this.#options.type, this.#options.namespace ?? '')
  }

  get(key: ObjectKey): T | null {
    return this.#store.get(key)
  }

  list(): readonly T[] {
    return this.#store.list()
  }

  subscribe(handler: (change: Change<T>) => void): void {
    this.#handlers.push(handler)
    this.#tell([handler], this.#store.contents())
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'started'
    const { observer, type } = this.#options
    observer?.cacheAge(type.plural, () => this.age)
    this.#loop = this.#run()
  }

  /** Resolves when nothing runs any more; no handler is called after the call. For good. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#stopped.abort()
    this.#synced.reject(new Error(`the cache of ${this.#options.type.plural} was stopped before it had synced`))
    for (const waiting of this.#waiting.values()) for (const settle of waiting) settle(false)
    await this.#loop
  }

  /** Rejects when the reflector is stopped before. */
  whenSynced(): Promise<void> {
    return this.#synced.promise
  }

  /** True as soon as there is an object of that key; false when there is none after `timeout`, or at the stop. */
  waitFor(key: ObjectKey, timeout: Millis): Promise<boolean> {
    if (this.get(key) !== null) return Promise.resolve(true)
    if (this.#state === 'stopped') return Promise.resolve(false)
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(idOf(key)) ?? new Set()
      const settle = (found: boolean): void => {
        cancel()
        waiting.delete(settle)
        if (waiting.size === 0) this.#waiting.delete(idOf(key))
        resolve(found)
      }
      const cancel = this.#options.clock.after(timeout, () => settle(false))
      this.#waiting.set(idOf(key), waiting.add(settle))
    })
  }

  async #run(): Promise<void> {
    while (this.#isStarted()) {
      try {
        this.#resourceVersion ??= await this.#relist()
        await this.#watch(this.#resourceVersion)
      } catch (error) {
        if (this.#isStarted()) await this.#recover(error)
      }
    }
  }

  /** A method, because the state changes while others wait. */
  #isStarted(): boolean {
    return this.#state === 'started'
  }

  async #relist(): Promise<string> {
    const { transport, type } = this.#options
    const { items, resourceVersion } = await listAll(transport, type, this.#options, { signal: this.#stopped.signal })
    if (!this.#isStarted()) return resourceVersion
    this.#heard()
    this.#lastListed = this.#options.clock.monotonic()
    const changes = this.#store.replace(items)
    this.#hasSynced = true
    this.#synced.resolve()
    this.#publish(changes)
    return resourceVersion
  }

  /** Returns when the server ends the watch in time; any other end is thrown. */
  async #watch(from: string): Promise<void> {
    const { transport, type, clock, random } = this.#options
    const opened = clock.monotonic()
    const timeoutSeconds = watchSeconds.least + Math.floor(random() * (watchSeconds.spread + 1))
    const path = selectionPath(type, this.#options, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(timeoutSeconds),
    })
    const accept = acceptOf(this.#options, 'watch')
    for await (const event of transport.watch(path, { idle: idleLimit, signal: this.#stopped.signal, accept })) {
      if (!this.#isStarted()) return
      this.#take(event as WatchEvent)
    }
    if (clock.monotonic() - this.#lastListed >= relistAfter) this.#resourceVersion = null
    if (clock.monotonic() - opened >= shortestWatch) return
    throw new Unreachable({ method: 'GET', path: this.#path }, 'the watch ended at once')
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') {
      const { code } = object as { readonly code?: unknown }
      throw errorOfStatus({ method: 'GET', path: this.#path }, typeof code === 'number' ? code : 500, object)
    }
    const changes = this.#changesOf(type, object)
    this.#resourceVersion = object.metadata.resourceVersion
    this.#heard()
    this.#backoff.reset()
    this.#publish(changes)
  }

  #changesOf(type: Exclude<WatchEvent['type'], 'ERROR'>, object: KubeObject): readonly Change<T>[] {
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        return this.#store.put(withKind(this.#options.type, object))
      case 'DELETED':
        return this.#store.remove({ namespace: object.metadata.namespace ?? '', name: object.metadata.name })
      case 'BOOKMARK':
        return []
      // an event of a kind that does not exist is none to be guessed at
      default:
        throw new ServerError({ method: 'GET', path: this.#path }, 'an event of an unknown type', 502)
    }
  }

  #heard(): void {
    this.#lastContact = this.#options.clock.monotonic()
  }

  /** Waits as long as the failure asks for. Only a connection that was lost, or throttling, leaves the place in the stream valid. */
  async #recover(error: unknown): Promise<void> {
    const { type, log, observer, clock } = this.#options
    const retryInMs = Math.round(this.#backoff.next(error))
    if (!(error instanceof Unreachable || error instanceof TooManyRequests)) this.#resourceVersion = null
    observer?.watchRestarted(type.plural)
    log.warn('watch broken', { resource: type.plural, retryInMs, error })
    await sleep(clock, retryInMs, this.#stopped.signal)
  }

  #publish(changes: readonly Change<T>[]): void {
    for (const { key, after } of changes) {
      if (after !== null) for (const settle of this.#waiting.get(idOf(key)) ?? []) settle(true)
    }
    // whoever subscribes meanwhile is told of the outcome by that
    this.#tell([...this.#handlers], changes)
  }

  #tell(handlers: readonly ((change: Change<T>) => void)[], changes: readonly Change<T>[]): void {
    const { type, log, observer } = this.#options
    for (const change of changes) {
      for (const handler of handlers) {
        if (this.#state === 'stopped') return
        try {
          handler(change)
        } catch (error) {
          observer?.handlerFailed(type.plural)
          log.error('cache subscriber failed', { resource: type.plural, ...change.key, error })
        }
      }
    }
  }
}
