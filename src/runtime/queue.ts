import type { Instant, Millis } from '../core/time.ts'
import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'
import type { Log } from './log.ts'
import { noQueueObserver, type QueueObserver, type ReconcileResult } from './queue-observer.ts'
import { Schedule } from './schedule.ts'

/** What a worker says when it has not failed: nothing more to do, or look again at that instant. */
export type Outcome = { readonly kind: 'done' } | { readonly kind: 'again'; readonly at: Instant }

export const done: Outcome = { kind: 'done' }

export function again(at: Instant): Outcome {
  return { kind: 'again', at }
}

/** A throw is a failure: it is logged here, once, and the key comes back after a back-off, for ever. */
export type Worker = (key: string) => Promise<Outcome>

export interface WorkQueueOptions {
  /** Names the queue in logs and metrics. */
  readonly name: string
  readonly worker: Worker
  /** How many keys are worked on at a time. Default 1. */
  readonly concurrency?: number
  /** A key that goes on failing is tried again at least this often. Default 60 s. */
  readonly longestBackoff?: Millis
  readonly clock: Clock
  readonly log: Log
  readonly observer?: QueueObserver
}

const firstBackoff: Millis = 5
const defaultLongestBackoff: Millis = 60_000
/** The longest sleep: a wall clock that jumps forward is noticed after this time. */
const longestSleep: Millis = 10_000

/**
 * Keys that wait for a worker. A key waits at most once, is never with two workers, and runs again afterwards when it
 * is added while it runs. Keys that were due at an instant go before keys that were merely added.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #observer: QueueObserver
  readonly #due = new Fifo()
  readonly #added = new Fifo()
  readonly #asked = new Schedule()
  /**
   * Apart from what was asked for: neither may swallow the other. By the monotonic clock, so that a wall clock that is
   * set back does not keep what failed waiting.
   */
  readonly #retries = new Schedule()
  /** By the monotonic clock, as is the next. */
  readonly #readySince = new Map<string, Millis>()
  readonly #runningSince = new Map<string, Millis>()
  /** Keys that became ready while they ran, and the line in which they go on. */
  readonly #meanwhile = new Map<string, Fifo>()
  readonly #failures = new Map<string, number>()
  /** When the worker last wanted to look again: a failure before then must not make it forgotten. */
  readonly #promised = new Map<string, Instant>()
  #state: 'idle' | 'started' | 'draining' = 'idle'
  /** By the monotonic clock. */
  #alarm: { readonly at: Millis; readonly cancel: () => void } | null = null
  #drained: (() => void) | null = null

  constructor(options: WorkQueueOptions) {
    this.#options = options
    this.#observer = options.observer ?? noQueueObserver
  }

  /** Keys may be added before; workers begin here. */
  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'started'
    this.#observer.workers(this.#concurrency)
    this.#observer.unfinished(() => {
      const now = this.#options.clock.monotonic()
      return Array.from(this.#runningSince.values(), (since) => now - since)
    })
    this.#collectDue()
    this.#dispatch()
  }

  /** As soon as a worker is free. */
  add(key: string): void {
    if (this.#state === 'draining') return
    this.#observer.added()
    this.#makeReady(this.#added, key)
    this.#dispatch()
  }

  /** At that instant, never before; of several instants to come the earliest is kept. */
  addAt(key: string, at: Instant): void {
    if (this.#state === 'draining') return
    this.#ask(key, at)
    this.#collectDue()
    this.#dispatch()
  }

  /** Starts no key any more; resolves when the running ones have ended. Keys that wait are dropped. */
  drain(): Promise<void> {
    this.#state = 'draining'
    this.#alarm?.cancel()
    this.#alarm = null
    const waiting = [this.#due, this.#added, this.#asked, this.#retries, this.#readySince, this.#meanwhile]
    for (const part of waiting) part.clear()
    this.#observer.depth(0)
    if (this.#runningSince.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const earlier = this.#drained
      this.#drained = () => {
        earlier?.()
        resolve()
      }
    })
  }

  get #concurrency(): number {
    return this.#options.concurrency ?? 1
  }

  /** What is due is no longer to come, and must not swallow what is asked for now. */
  #ask(key: string, at: Instant): void {
    this.#collectDue()
    if (at <= this.#options.clock.now()) this.#makeReady(this.#due, key)
    else this.#asked.set(key, at)
  }

  #makeReady(line: Fifo, key: string): void {
    if (this.#runningSince.has(key)) {
      this.#meanwhile.set(key, line)
      return
    }
    line.push(key)
    if (!this.#readySince.has(key)) this.#readySince.set(key, this.#options.clock.monotonic())
    this.#observer.depth(this.#readySince.size)
  }

  /** Moves every key that is due to the ready ones and, once started, sets the alarm for the next. */
  #collectDue(): void {
    if (this.#state === 'draining') return
    const { clock } = this.#options
    const [now, elapsed] = [clock.now(), clock.monotonic()]
    for (let key = this.#asked.take(now); key !== null; key = this.#asked.take(now)) this.#makeReady(this.#due, key)
    for (let key = this.#retries.take(elapsed); key !== null; key = this.#retries.take(elapsed)) {
      this.#makeReady(this.#due, key)
    }
    const wait = Math.min((this.#asked.next() ?? Infinity) - now, (this.#retries.next() ?? Infinity) - elapsed)
    if (wait < Infinity && this.#state === 'started') this.#setAlarm(Math.min(wait, longestSleep))
  }

  /** An alarm that is set for earlier is kept. */
  #setAlarm(delay: Millis): void {
    const { clock } = this.#options
    const at = clock.monotonic() + delay
    if (this.#alarm !== null && this.#alarm.at <= at) return
    this.#alarm?.cancel()
    const cancel = clock.after(delay, () => {
      this.#alarm = null
      this.#collectDue()
      this.#dispatch()
    })
    this.#alarm = { at, cancel }
  }

  #dispatch(): void {
    if (this.#state !== 'started') return
    while (this.#runningSince.size < this.#concurrency) {
      const ready = this.#takeReady()
      if (ready === null) return
      void this.#run(ready.key, ready.since)
    }
  }
  /** Removes the key whose turn it is and returns it with its waiting time. */
  #takeReady(): { readonly key: string; readonly since: Millis } | null {
    for (const line of [this.#due, this.#added]) {
      for (let key = line.shift(); key !== undefined; key = line.shift()) {
        const since = this.#readySince.get(key)
        if (since === undefined) continue // it stood in both lines and had its turn in the other
        this.#readySince.delete(key)
        this.#observer.depth(this.#readySince.size)
        return { key, since }
      }
    }
    return null
  }

  async #run(key: string, since: Millis): Promise<void> {
    const { clock, worker } = this.#options
    const started = clock.monotonic()
    this.#runningSince.set(key, started)
    this.#observer.started(started - since)
    let result: ReconcileResult = 'error'
    try {
      const outcome = await worker(key)
      result = this.#succeed(key, outcome)
    } catch (error) {
      this.#backOff(key, error)
    }
    this.#observer.finished(result, clock.monotonic() - started)
    this.#finish(key)
  }

  #succeed(key: string, outcome: Outcome): ReconcileResult {
    this.#failures.delete(key)
    this.#promised.delete(key)
    if (outcome.kind === 'done') return 'success'
    this.#promised.set(key, outcome.at)
    this.#ask(key, outcome.at)
    return 'requeue_after'
  }

  #backOff(key: string, error: unknown): void {
    const { name, clock, log, longestBackoff = defaultLongestBackoff } = this.#options
    const failures = this.#failures.get(key) ?? 0
    const retryInMs = Math.min(firstBackoff * 2 ** failures, longestBackoff)
    this.#failures.set(key, failures + 1)
    const now = clock.now()
    const promised = this.#promised.get(key) ?? now
    if (promised > now) this.#asked.set(key, promised)
    this.#retries.set(key, clock.monotonic() + retryInMs)
    this.#observer.retried()
    log.error('reconcile failed', { queue: name, key, failures: failures + 1, retryInMs, error })
  }

  #finish(key: string): void {
    this.#runningSince.delete(key)
    if (this.#state === 'draining') {
      for (const part of [this.#asked, this.#retries, this.#meanwhile]) part.clear()
      if (this.#runningSince.size === 0) this.#drained?.()
      return
    }
    const line = this.#meanwhile.get(key)
    this.#meanwhile.delete(key)
    if (line !== undefined) this.#makeReady(line, key)
    this.#collectDue()
    this.#dispatch()
  }
}
