import type { Instant, Millis } from '../core/time.ts'
import { backoffAfter } from './backoff.ts'
import type { Clock } from './clock.ts'
import { Fifo } from './fifo.ts'
import type { Log } from './log.ts'
import { noQueueObserver, type QueueObserver, type ReconcileResult } from './queue-observer.ts'
import { Schedule } from './schedule.ts'
import { Turns } from './turns.ts'

/** What a worker says when it has not failed: nothing more to do, or go on in its turn, or look again at that instant, or after that delay. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'next' }
  | { readonly kind: 'again'; readonly at: Instant }
  | { readonly kind: 'after'; readonly delay: Millis }

export const done: Outcome = { kind: 'done' }

/** At once, but behind all that waits and all that becomes due meanwhile. */
export const next: Outcome = { kind: 'next' }

/** For what is due by the wall clock. */
export function again(at: Instant): Outcome {
  return { kind: 'again', at }
}

/** For a wait that is as long however the wall clock is set meanwhile. */
export function after(delay: Millis): Outcome {
  return { kind: 'after', delay }
}

/** A throw is a failure: it is logged here, once, and the key comes back after a back-off, for ever. */
export type Worker = (key: string) => Promise<Outcome>

export interface WorkQueueOptions {
  /** Names the queue in logs and metrics. */
  readonly name: string
  readonly worker: Worker
  /** How many keys are worked on at a time. Default 1. */
  readonly concurrency?: number
  /** So many of them are left for keys that are due at an instant: what was merely added takes the others. Default 0. */
  readonly reserved?: number
  /**
   * A key that goes on failing is tried again at least this often. Default 60 s. So is one whose errors ask for a longer
   * pause (`retryAfter`), but for the spread of half as much again.
   */
  readonly longestBackoff?: Millis
  /** In [0, 1); spreads retries. */
  readonly random: () => number
  readonly clock: Clock
  readonly log: Log
  readonly observer?: QueueObserver
}

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
  /** What was asked for by an instant, by a delay, and what failed: none may swallow another. */
  readonly #asked = new Schedule()
  /** By the monotonic clock, as is the next: a wall clock that is set back does not keep them waiting. */
  readonly #delayed = new Schedule()
  readonly #retries = new Schedule()
  /** By the monotonic clock, as is the next. */
  readonly #readySince = new Map<string, Millis>()
  readonly #runningSince = new Map<string, Millis>()
  /** Keys that run because they were added. */
  readonly #runningAdded = new Set<string>()
  /** Keys that became ready while they ran, and the line in which they go on. */
  readonly #meanwhile = new Map<string, Fifo>()
  readonly #failures = new Map<string, number>()
  /** When the worker last wanted to look again: a failure before then must not make it forgotten. */
  readonly #promised = new Map<string, { readonly schedule: Schedule; readonly at: Millis }>()
  #state: 'idle' | 'started' | 'draining' = 'idle'
  /** By the monotonic clock. */
  #alarm: { readonly at: Millis; readonly cancel: () => void } | null = null
  #drained: (() => void) | null = null
  readonly #turns: Turns

  constructor(options: WorkQueueOptions) {
    this.#options = options
    this.#observer = options.observer ?? noQueueObserver
    this.#turns = new Turns(options.clock, () => this.#dispatch())
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
    this.#addTo(this.#asked, key, at)
  }

  /** After that delay, never before, however the wall clock is set; of several to come the earliest is kept. */
  addAfter(key: string, delay: Millis): void {
    this.#addTo(this.#delayed, key, this.#options.clock.monotonic() + delay)
  }

  /** Starts no key any more; resolves when the running ones have ended. Keys that wait are dropped. */
  drain(): Promise<void> {
    this.#state = 'draining'
    this.#alarm?.cancel()
    this.#alarm = null
    const waiting = [this.#due, this.#added, this.#readySince, this.#meanwhile]
    for (const part of [...waiting, ...this.#schedules]) part.clear()
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

  get #schedules(): readonly Schedule[] {
    return [this.#asked, this.#delayed, this.#retries]
  }

  /** What a schedule goes by: instants by the wall clock, everything else by the monotonic one. */
  #timeOf(schedule: Schedule): Millis {
    const { clock } = this.#options
    return schedule === this.#asked ? clock.now() : clock.monotonic()
  }

  #addTo(schedule: Schedule, key: string, at: Millis): void {
    if (this.#state === 'draining') return
    this.#ask(schedule, key, at)
    this.#collectDue()
    this.#dispatch()
  }

  /** What is due is no longer to come, and must not swallow what is asked for now. */
  #ask(schedule: Schedule, key: string, at: Millis): void {
    this.#collectDue()
    if (at <= this.#timeOf(schedule)) this.#makeReady(this.#due, key)
    else schedule.set(key, at)
  }

  #makeReady(line: Fifo, key: string): void {
    if (this.#runningSince.has(key)) {
      if (this.#meanwhile.get(key) !== this.#due) this.#meanwhile.set(key, line)
      return
    }
    line.push(key)
    if (!this.#readySince.has(key)) this.#readySince.set(key, this.#options.clock.monotonic())
    this.#observer.depth(this.#readySince.size)
  }

  /** Moves every key that is due to the ready ones and, once started, sets the alarm for the next. */
  #collectDue(): void {
    if (this.#state === 'draining') return
    let wait = Infinity
    for (const schedule of this.#schedules) {
      const time = this.#timeOf(schedule)
      for (let key = schedule.take(time); key !== null; key = schedule.take(time)) this.#makeReady(this.#due, key)
      wait = Math.min(wait, (schedule.next() ?? Infinity) - time)
    }
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
    while (this.#runningSince.size < this.#concurrency && this.#readySince.size > 0 && this.#turns.has()) {
      const ready = this.#takeReady()
      if (ready === null) return
      void this.#run(ready.key, ready.since)
    }
  }

  /** Removes the key whose turn it is and returns it with its waiting time. */
  #takeReady(): { readonly key: string; readonly since: Millis } | null {
    for (const line of this.#open()) {
      for (let key = line.shift(); key !== undefined; key = line.shift()) {
        const since = this.#readySince.get(key)
        if (since === undefined) continue // it stood in both lines and had its turn in the other
        this.#readySince.delete(key)
        this.#observer.depth(this.#readySince.size)
        if (line === this.#added) this.#runningAdded.add(key)
        return { key, since }
      }
    }
    return null
  }

  /** The lines from which a worker may take a key, in their order. */
  #open(): readonly Fifo[] {
    const { reserved = 0 } = this.#options
    return this.#runningAdded.size < this.#concurrency - reserved ? [this.#due, this.#added] : [this.#due]
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
    if (outcome.kind === 'next') {
      this.#makeReady(this.#added, key)
      return 'requeue_after'
    }
    const promise =
      outcome.kind === 'again'
        ? { schedule: this.#asked, at: outcome.at }
        : { schedule: this.#delayed, at: this.#options.clock.monotonic() + outcome.delay }
    this.#promised.set(key, promise)
    this.#ask(promise.schedule, key, promise.at)
    return 'requeue_after'
  }

  #backOff(key: string, error: unknown): void {
    const { name, clock, log, longestBackoff: longest = defaultLongestBackoff, random } = this.#options
    const failures = this.#failures.get(key) ?? 0
    const retryInMs = backoffAfter(error, failures, { longest, random })
    this.#failures.set(key, failures + 1)
    const promise = this.#promised.get(key)
    if (promise !== undefined && promise.at > this.#timeOf(promise.schedule)) promise.schedule.set(key, promise.at)
    this.#retries.set(key, clock.monotonic() + retryInMs)
    this.#observer.retried()
    log.error('reconcile failed', { queue: name, key, failures: failures + 1, retryInMs, error })
  }

  #finish(key: string): void {
    this.#runningSince.delete(key)
    this.#runningAdded.delete(key)
    if (this.#state === 'draining') {
      for (const part of [...this.#schedules, this.#meanwhile]) part.clear()
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
