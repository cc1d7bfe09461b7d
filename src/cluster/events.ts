import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { sleep } from '../runtime/sleep.ts'
import { Conflict, NotFound, ServerError, TooManyRequests, Unreachable } from './errors.ts'
import { contentOf, eventNameOf, eventOf, eventPathOf, eventsPathOf, seriesOf } from './event-body.ts'
import { EventRate } from './event-rate.ts'
import { EventMemory, keyOf, type EventContent, type EventSeries } from './event-series.ts'
import type { EventNote, EventSink } from './ports.ts'
import type { Transport } from './transport.ts'

export interface EventRecorderOptions {
  readonly transport: Pick<Transport, 'call'>
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1); makes names and spreads retries. */
  readonly random: () => number
  /** Which process reports, such as the name of its host: 1 to 128 characters. */
  readonly instance: string
  /** Hears of each write that was given up, and of each event that was not taken at all. */
  readonly observer?: Pick<Metrics, 'eventDropped'>
}

const mostWaiting = 256
/** Repeats of one Event are written together, once in this time at most. */
const seriesInterval: Millis = 10_000
const callTimeout: Millis = 5_000
const firstRetry: Millis = 1_000
/** Who asks for a longer pause loses the event. */
const longestRetry: Millis = 30_000
const defaultGrace: Millis = 5_000

/**
 * Writes events to events.k8s.io/v1, one after the other, beside whatever else its process does. The same event seen again
 * within 6 minutes is counted in the one that is there. What cannot be written, or is too much, is lost.
 */
export class EventRecorder implements EventSink {
  readonly #options: EventRecorderOptions
  readonly #memory = new EventMemory()
  readonly #rate = new EventRate()
  /** How many series there were. */
  #begun = 0
  /** In the order in which they are to be written. */
  readonly #waiting = new Set<EventSeries>()
  #writer: Promise<void> | null = null
  /** From then on nothing is taken any more, and nothing waits for its time. */
  readonly #draining = new AbortController()
  readonly #ended = new AbortController()
  /** The last write failed. */
  #isLosing = false

  constructor(options: EventRecorderOptions) {
    this.#options = options
  }

  record(event: EventNote): void {
    try {
      if (this.#draining.signal.aborted) this.#lose(new Error('the recorder is closed'))
      else this.#take(contentOf(event))
    } catch (error) {
      this.#lose(error)
    }
  }

  /**
   * Writes what waits, at once and without retries, and then nothing more. Resolves after `grace` at the latest; what is not
   * written by then is lost.
   */
  async drain(grace: Millis = defaultGrace): Promise<void> {
    this.#draining.abort()
    for (const series of this.#memory.all()) this.#hasten(series)
    if (this.#writer !== null) await Promise.race([this.#writer, this.#sleep(grace, this.#ended.signal)])
    this.#ended.abort(new Error('the recorder was closed'))
    for (const _ of this.#waiting) this.#lose(this.#ended.signal.reason)
    this.#waiting.clear()
  }

  #take(content: EventContent): void {
    const known = this.#memory.find(keyOf(content), this.#options.clock.monotonic())
    if (known === null) this.#begin(content)
    else this.#repeat(known)
  }

  #begin(content: EventContent): void {
    const { clock, random } = this.#options
    const now = clock.now()
    const age = clock.monotonic()
    const name = eventNameOf(content.regarding, { at: now, sequence: this.#begun++, random: random() })
    const seen = { firstAt: now, lastAt: now, seenAt: age, count: 1 }
    const series = { key: keyOf(content), name, content, ...seen, written: 0, writtenAt: age, callOff: null }
    this.#remember(series)
    this.#enqueue(series)
  }

  #repeat(series: EventSeries): void {
    const { clock } = this.#options
    series.count += 1
    series.lastAt = clock.now()
    series.seenAt = clock.monotonic()
    this.#remember(series)
    this.#writeLater(series)
  }

  #remember(series: EventSeries): void {
    const forgotten = this.#memory.keep(series)
    if (forgotten !== null) this.#hasten(forgotten)
  }

  #writeLater(series: EventSeries): void {
    if (series.callOff !== null || this.#waiting.has(series)) return
    const { clock } = this.#options
    const wait = Math.max(0, series.writtenAt + seriesInterval - clock.monotonic())
    series.callOff = clock.after(wait, () => {
      series.callOff = null
      this.#enqueue(series)
    })
  }

  /** A write that is set for later is due now. */
  #hasten(series: EventSeries): void {
    if (series.callOff === null) return
    series.callOff()
    series.callOff = null
    this.#enqueue(series)
  }

  #enqueue(series: EventSeries): void {
    if (this.#waiting.has(series) || series.written === series.count) return
    if (this.#waiting.size >= mostWaiting) return this.#lose(new Error(`${mostWaiting} events wait already`))
    this.#waiting.add(series)
    this.#writer ??= this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    await this.#turn()
    for (const series of this.#waiting) {
      this.#waiting.delete(series)
      await this.#write(series)
      await this.#turn()
    }
    this.#writer = null
  }

  async #turn(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#draining
    for (let wait = 1; wait > 0 && !signal.aborted;) {
      wait = this.#rate.wait(clock.monotonic())
      await this.#sleep(wait, signal)
    }
  }

  /** Never throws. */
  async #write(series: EventSeries): Promise<void> {
    series.writtenAt = this.#options.clock.monotonic()
    try {
      await this.#writeOnce(series).catch((error: unknown) => this.#writeAgain(series, error))
      this.#isLosing = false
    } catch (error) {
      this.#lose(error)
    }
  }

  async #writeAgain(series: EventSeries, error: unknown): Promise<void> {
    const { signal } = this.#draining
    const wait = retryAfter(error, this.#options.random)
    if (wait === null || wait > longestRetry) throw error
    await this.#sleep(wait, signal)
    if (signal.aborted) throw error
    await this.#writeOnce(series)
  }

  async #writeOnce(series: EventSeries): Promise<void> {
    const { count } = series
    if (series.written === 0 || !(await this.#patched(series))) await this.#create(series)
    series.written = count
  }

  /** False: the Event is gone. */
  async #patched(series: EventSeries): Promise<boolean> {
    const contentType = 'application/merge-patch+json'
    try {
      await this.#call('PATCH', eventPathOf(series), seriesOf(series), contentType)
      return true
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
      return false
    }
  }

  /** Its name is nobody else's: if it is taken, then by this very Event, whose answer was lost. */
  async #create(series: EventSeries): Promise<void> {
    const event = eventOf(series, this.#options.instance)
    try {
      await this.#call('POST', eventsPathOf(series), event)
    } catch (error) {
      if (!(error instanceof Conflict && error.reason === 'AlreadyExists')) throw error
    }
  }

  async #call(method: 'POST' | 'PATCH', path: string, body: object, contentType = 'application/json'): Promise<void> {
    const { signal } = this.#ended
    this.#rate.spend()
    await this.#options.transport.call(method, path, body, { contentType, timeout: callTimeout, signal })
  }

  #sleep(wait: Millis, signal: AbortSignal): Promise<void> {
    return wait > 0 ? sleep(this.#options.clock, wait, signal) : Promise.resolve()
  }

  /** Says so once for any number in a row. */
  #lose(error: unknown): void {
    this.#options.observer?.eventDropped()
    if (!this.#isLosing) this.#options.log.warn('events are lost', { error })
    this.#isLosing = true
  }
}

/** null: another try would not help. */
function retryAfter(error: unknown, random: () => number): Millis | null {
  const backoff = firstRetry * (0.5 + random())
  if (error instanceof TooManyRequests) return error.retryAfter + backoff
  return error instanceof Unreachable || (error instanceof ServerError && error.status >= 500) ? backoff : null
}
