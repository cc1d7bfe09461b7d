import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { sleep } from '../runtime/sleep.ts'
import { Arrivals } from './arrivals.ts'
import { Malformed, TooManyRequests, Unauthorized, Unreachable } from './errors.ts'
import { acceptOf, listAll, type Selection, selectionPath, withKind } from './paged-list.ts'
import type { Cache, Change, KubeObject, ObjectKey } from './ports.ts'
import { isAway, ReconnectBackoff } from './reconnect.ts'
import { pathOf, type ResourceType } from './resources.ts'
import { slim } from './slim.ts'
import { errorOfStatus } from './status-error.ts'
import { Store } from './store.ts'
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
  readonly #arrivals: Arrivals
  readonly #synced = Promise.withResolvers<void>()
  #state: 'idle' | 'started' | 'stopped' = 'idle'
  #hasSynced = false
  /** Both by the monotonic clock. */
  #lastContact: Millis | null = null
  #lastListed: Millis = 0
  /** Where the next watch begins; null: list first. */
  #resourceVersion: string | null = null
  readonly #stopped = new AbortController()
  /** Of the watch that runs, or is next to run. Its own, for a signal that lasts would gather something of every watch. */
  #watching = new AbortController()
  /** They wait for a list that has not begun, or not ended. */
  readonly #refreshing = new Set<PromiseWithResolvers<void>>()
  #loop: Promise<void> = Promise.resolve()

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.#store = new Store(options.transform ?? ((object) => object as T))
    this.#backoff = new ReconnectBackoff(options.random)
    this.#arrivals = new Arrivals(options.clock)
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
    this.#watching.abort()
    this.#synced.reject(this.#stoppedBefore('synced'))
    for (const { reject } of this.#refreshing) reject(this.#stoppedBefore('listed anew'))
    this.#refreshing.clear()
    this.#arrivals.end()
    await this.#loop
  }

  /** Rejects when the reflector is stopped before. */
  whenSynced(): Promise<void> {
    return this.#synced.promise
  }

  /**
   * Resolves when everything was listed anew by a list that began after the call, and the subscribers were told. Ends the
   * watch that runs for it; waits for the start, and out a back-off. Rejects when the reflector is stopped before.
   */
  refresh(): Promise<void> {
    const listed = Promise.withResolvers<void>()
    listed.promise.catch(() => {})
    if (this.#state === 'stopped') listed.reject(this.#stoppedBefore('listed anew'))
    else this.#refreshing.add(listed)
    this.#watching.abort()
    return listed.promise
  }

  /** True as soon as there is an object of that key; false when there is none after `timeout`, or at the stop. */
  waitFor(key: ObjectKey, timeout: Millis): Promise<boolean> {
    if (this.get(key) !== null) return Promise.resolve(true)
    if (this.#state === 'stopped') return Promise.resolve(false)
    return this.#arrivals.wait(key, timeout)
  }

  async #run(): Promise<void> {
    while (this.#isStarted()) {
      this.#watching = new AbortController()
      const { signal } = this.#watching
      try {
        const from = await this.#place()
        if (!signal.aborted) await this.#watch(from, signal)
      } catch (error) {
        if (this.#isStarted()) await this.#recover(error)
      }
    }
  }

  /** Where the watch that is next begins: where the last one ended, or behind a list when that is no place, too long ago, or asked for. */
  async #place(): Promise<string> {
    const asked = [...this.#refreshing]
    const isOverdue = this.#options.clock.monotonic() - this.#lastListed >= relistAfter
    if (asked.length > 0 || isOverdue) this.#resourceVersion = null
    this.#resourceVersion ??= await this.#relist()
    for (const listed of asked) {
      this.#refreshing.delete(listed)
      listed.resolve()
    }
    return this.#resourceVersion
  }

  /** A method, because the state changes while others wait. */
  #isStarted(): boolean {
    return this.#state === 'started'
  }

  async #relist(): Promise<string> {
    const { transport, type } = this.#options
    const { items, resourceVersion } = await listAll(transport, type, this.#options, {
      signal: this.#stopped.signal,
      kept: slim,
    })
    if (!this.#isStarted()) return resourceVersion
    this.#heard()
    this.#lastListed = this.#options.clock.monotonic()
    const changes = this.#store.replace(items)
    this.#hasSynced = true
    this.#synced.resolve()
    this.#publish(changes)
    return resourceVersion
  }

  /** Returns when the server ends the watch in time, or the signal ends it; any other end is thrown. */
  async #watch(from: string, signal: AbortSignal): Promise<void> {
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
    try {
      for await (const event of transport.watch(path, { idle: idleLimit, signal, accept })) {
        if (signal.aborted) return
        this.#take(event as WatchEvent)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
    if (signal.aborted || clock.monotonic() - opened >= shortestWatch) return
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
        return this.#store.put(slim(withKind(this.#options.type, object)))
      case 'DELETED':
        return this.#store.remove({ namespace: object.metadata.namespace ?? '', name: object.metadata.name })
      case 'BOOKMARK':
        return []
      // an event of a kind that does not exist is none to be guessed at
      default:
        throw new Malformed({ method: 'GET', path: this.#path }, 'an event of an unknown type')
    }
  }

  #stoppedBefore(done: string): Error {
    return new Error(`the cache of ${this.#options.type.plural} was stopped before it had ${done}`)
  }

  #heard(): void {
    this.#lastContact = this.#options.clock.monotonic()
  }

  /** Waits as long as the failure asks for. */
  async #recover(error: unknown): Promise<void> {
    const { type, log, observer, clock } = this.#options
    const retryInMs = Math.round(this.#backoff.next(error))
    if (!leavesPlace(error)) this.#resourceVersion = null
    observer?.watchRestarted(type.plural)
    log.warn('watch broken', { resource: type.plural, retryInMs, error })
    await sleep(clock, retryInMs, this.#stopped.signal)
  }

  #publish(changes: readonly Change<T>[]): void {
    for (const { key, after } of changes) {
      if (after !== null) this.#arrivals.came(key)
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

/** Whether a watch may go on where it was: the failure says nothing of its place. */
function leavesPlace(error: unknown): boolean {
  return isAway(error) || error instanceof TooManyRequests || error instanceof Unauthorized
}
