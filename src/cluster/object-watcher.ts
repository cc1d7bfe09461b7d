import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { sleep } from '../runtime/sleep.ts'
import { Forbidden, NotFound } from './errors.ts'
import { KindFinder } from './kind-finder.ts'
import type { ObjectReference, ObjectWatcher, Sight, WatchedObject } from './ports.ts'
import { ReconnectBackoff } from './reconnect.ts'
import { Reflector } from './reflector.ts'
import type { ResourceType } from './resources.ts'
import type { Transport } from './transport.ts'

export interface ObjectWatcherOptions {
  readonly transport: Pick<Transport, 'call' | 'watch'>
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1); spreads watches and retries. */
  readonly random: () => number
}

/** Watches objects of any kind, each for itself. */
export class KubeObjectWatcher implements ObjectWatcher {
  readonly #options: ObjectWatcherOptions
  readonly #kinds: KindFinder

  constructor(options: ObjectWatcherOptions) {
    this.#options = options
    this.#kinds = new KindFinder(options.transport)
  }

  watch(reference: ObjectReference, changed: () => void): WatchedObject {
    const watched = new OneObject(reference, this.#kinds, this.#options)
    watched.start(changed)
    return watched
  }
}

/** Once its kind is found, a reflector whose lists say, beside what there is, whether it may be seen at all. */
class OneObject implements WatchedObject {
  readonly #reference: ObjectReference
  readonly #kinds: KindFinder
  readonly #options: ObjectWatcherOptions
  readonly #stopped = new AbortController()
  #reflector: Reflector | null = null
  /** Why it cannot be read; null: it can, or that is not known. */
  #refusal: string | null = null
  /** Until the reflector stops. */
  #run: Promise<void> = Promise.resolve()

  constructor(reference: ObjectReference, kinds: KindFinder, options: ObjectWatcherOptions) {
    this.#reference = reference
    this.#kinds = kinds
    this.#options = options
  }

  get sight(): Sight {
    if (this.#refusal !== null) return { kind: 'Unreadable', message: this.#refusal }
    if (this.#reflector?.hasSynced !== true) return { kind: 'Unread' }
    const object = this.#reflector.get(this.#reference)
    return object === null ? { kind: 'Absent' } : { kind: 'Present', object }
  }

  start(changed: () => void): void {
    const tell = (): void => {
      if (!this.#stopped.signal.aborted) changed()
    }
    this.#run = this.#follow(tell)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#reflector?.stop()
    await this.#run
  }

  async #follow(changed: () => void): Promise<void> {
    const type = await this.#findType(changed)
    if (type === null || this.#stopped.signal.aborted) return
    const { namespace, name } = this.#reference
    const transport = this.#listening(changed)
    const reflector = new Reflector({ ...this.#options, type, namespace, name, transport })
    this.#reflector = reflector
    reflector.subscribe(changed)
    // nothing is published of an object that is not there
    reflector.whenSynced().then(changed, () => {})
    reflector.start()
  }

  /** Asks until there is one; null: it was stopped before. */
  async #findType(changed: () => void): Promise<ResourceType | null> {
    const { clock, log, random } = this.#options
    const { apiVersion, kind } = this.#reference
    const backoff = new ReconnectBackoff(random)
    const { signal } = this.#stopped
    while (!signal.aborted) {
      try {
        const type = await this.#kinds.find(apiVersion, kind)
        if (type?.namespaced === true) return type
        const message = type === null ? 'the cluster does not serve its kind' : 'it is in no namespace'
        this.#refuse(message, changed)
        await sleep(clock, backoff.next(null), signal)
      } catch (error) {
        const retryInMs = Math.round(backoff.next(error))
        log.warn('kind not found', { apiVersion, kind, retryInMs, error })
        await sleep(clock, retryInMs, signal)
      }
    }
    return null
  }

  /** A list that is refused says that the object may not be read, and the one that is not takes that back. */
  #listening(changed: () => void): Pick<Transport, 'call' | 'watch'> {
    const { transport } = this.#options
    return {
      call: async (...call) => {
        try {
          const answer = await transport.call(...call)
          this.#refusal = null
          return answer
        } catch (error) {
          if (error instanceof Forbidden) this.#refuse(`the operator may not read it: ${error.message}`, changed)
          if (error instanceof NotFound) this.#refuse('the cluster does not serve its kind', changed)
          throw error
        }
      },
      watch: (...watch) => {
        changed() // what the list said was taken in
        return transport.watch(...watch)
      },
    }
  }

  #refuse(message: string, changed: () => void): void {
    if (this.#refusal === message) return
    this.#refusal = message
    changed()
  }
}
