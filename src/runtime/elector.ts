import type { Instant, Millis } from '../core/time.ts'
import type { Clock } from './clock.ts'
import type { LeaseRecord, LeaseStore, StoredLease } from './lease-record.ts'
import type { Log } from './log.ts'
import { sleep } from './sleep.ts'

export interface ElectorOptions {
  readonly store: LeaseStore
  /**
   * Of this candidate and of no other process that can run at the same time: whoever finds himself on the record takes it
   * to be what he held before a restart, and goes on.
   */
  readonly identity: string
  /** For how long the others leave a holder alone that they have not seen renew. More than `renewDeadline`. */
  readonly leaseDuration: Millis
  /** A holder that could not renew for that long holds no more. */
  readonly renewDeadline: Millis
  /** From one renewal, or one look of a candidate, to the next. */
  readonly retryPeriod: Millis
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1); spreads the looks of candidates. */
  readonly random: () => number
  /** Called once, when what was held is held no more without having been released. */
  readonly onLost: (reason: string) => void
}

/** Between two looks, however long the first of them took. */
const shortestPause: Millis = 100
/** Of one renewal, while others write to the record; then it is the next one's turn. */
const mostTries = 4

/** When something began, by both clocks. */
interface Moment {
  readonly monotonic: Millis
  readonly wall: Instant
}

/**
 * Holds a lease, or waits for it. A candidate takes it over when the record has not changed for its duration since he first
 * saw it so, by his own monotonic clock: what others' clocks say does not matter. A holder counts from before he sent his
 * last renewal, by whichever of his clocks says more, and stops sooner than a candidate may start.
 */
export class Elector {
  readonly #options: ElectorOptions
  readonly #elected = Promise.withResolvers<void>()
  #state: 'candidate' | 'holder' | 'over' = 'candidate'
  /** The newest record that was seen, and since when it is known to be so. */
  #seen: StoredLease | null = null
  #seenSince: Millis = 0
  #renewed: Moment = { monotonic: -Infinity, wall: -Infinity }
  #cancelDeadline: () => void = () => {}
  /** The version that the first look found released; null: there was none, or it was not. */
  #released: string | null = null
  #wasFree = false
  /** When the record was last read or written; monotonic. */
  #heard: Millis = -Infinity
  /** The record may name this one: a write that would make it so was sent and not refused. */
  #mayBeOnRecord = false
  #awake = new AbortController()
  #loop: Promise<void> = Promise.resolve()

  constructor(options: ElectorOptions) {
    this.#options = options
  }

  /** Worked out anew at each call: false as soon as the time is over, whether anything could run meanwhile or not. */
  get leads(): boolean {
    return this.#state === 'holder' && this.#sinceRenewal() < this.#options.renewDeadline
  }

  /** False: for the time of a lease nothing was heard of it, and whatever is wrong keeps this one from ever taking it. */
  get isInTouch(): boolean {
    return this.leads || this.#options.clock.monotonic() - this.#heard < this.#options.leaseDuration
  }

  /** Whether the first look found it given back: nobody else need be waited for. */
  get isReleased(): boolean {
    return this.#released !== null
  }

  /** Whether nobody has led between `look()`, which found the lease given back, and the moment in which this one took it. */
  get wasFree(): boolean {
    return this.#wasFree
  }

  /** Looks at the lease before anything that a leader writes is looked at. Never rejects: what is not known is not free. */
  async look(): Promise<void> {
    const { store, log } = this.#options
    try {
      const found = await store.read(this.#timeout)
      this.#see(found)
      if (found?.record.holder === '') this.#released = found.version
    } catch (error) {
      log.warn('lease could not be reached', { error })
    }
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Resolves when this one leads for the first time; never, if it does not come to that. */
  whenElected(): Promise<void> {
    return this.#elected.promise
  }

  /** Something may have changed: look now. */
  wake(): void {
    if (this.#state === 'candidate') this.#awake.abort()
  }

  /**
   * Ends the candidacy. What is held is given back, so that another can take it at once: nothing that needs the lease may
   * run any more. Never rejects: a lease that cannot be given back runs out.
   */
  async release(): Promise<void> {
    this.#end()
    await this.#loop
    if (!this.#mayBeOnRecord) return
    const { log } = this.#options
    try {
      if (await this.#giveBack()) log.info('lease released')
    } catch (error) {
      log.warn('lease could not be released', { error })
    }
  }

  /** False: it is somebody else's by now. */
  async #giveBack(): Promise<boolean> {
    const { store, identity } = this.#options
    const newest = await store.read(this.#timeout)
    if (newest?.record.holder !== identity) return false
    return (await store.write({ ...newest.record, holder: '' }, newest.version, this.#timeout)) !== null
  }

  async #run(): Promise<void> {
    const { clock, retryPeriod, random, log } = this.#options
    while (!this.#isOver()) {
      const begun = clock.monotonic()
      this.#awake = new AbortController() // whatever asks to look again from here on is heard at the next sleep
      try {
        await (this.#state === 'holder' ? this.#renew() : this.#tryToTake())
      } catch (error) {
        log.warn('lease could not be reached', { error })
      }
      const spread = this.#state === 'holder' ? 1 : 0.8 + 0.4 * random()
      const spent = clock.monotonic() - begun
      await sleep(clock, Math.max(shortestPause, retryPeriod * spread - spent), this.#awake.signal)
    }
  }

  async #tryToTake(): Promise<void> {
    const { store, identity, log } = this.#options
    const found = await store.read(this.#timeout)
    this.#see(found)
    if (this.#isOver() || !this.#isFree(found)) return
    const now = this.#now()
    const transitions = found === null ? 0 : found.record.transitions + (found.record.holder === identity ? 0 : 1)
    const record = { ...this.#recordAt(now.wall), acquired: now.wall, transitions }
    this.#mayBeOnRecord = true
    const taken = await store.write(record, found?.version ?? null, this.#timeout)
    if (taken === null || this.#isOver()) return
    this.#state = 'holder'
    this.#wasFree = found !== null && found.version === this.#released // the write would have failed over another version
    this.#hold(taken, now)
    log.info('lease acquired', { identity, transitions })
    if (this.leads) this.#elected.resolve()
  }

  async #renew(): Promise<void> {
    if (!this.leads) return this.#lose('it was not renewed in time')
    const { store, identity } = this.#options
    let known = this.#seen
    for (let tries = 0; tries < mostTries && !this.#isOver(); tries++) {
      const now = this.#now()
      const { acquired, transitions } = known?.record ?? { acquired: now.wall, transitions: 0 }
      const record = { ...this.#recordAt(now.wall), acquired, transitions }
      const renewed = await store.write(record, known?.version ?? null, this.#timeout)
      if (renewed !== null) return this.#hold(renewed, now)
      // either somebody else wrote, or an earlier write of our own took place without an answer
      known = await store.read(this.#timeout)
      if (known !== null && known.record.holder !== identity) return this.#lose(`it is held by ${known.record.holder}`)
    }
  }

  /** A renewal that arrives after its time does not bring back what is over: others may have begun to count. */
  #hold(stored: StoredLease, asked: Moment): void {
    this.#see(stored)
    if (this.#isOver()) return
    this.#renewed = asked
    this.#cancelDeadline()
    const left = this.#options.renewDeadline - this.#sinceRenewal()
    this.#cancelDeadline = this.#options.clock.after(left, () => this.#lose('it was not renewed in time'))
  }

  #lose(reason: string): void {
    if (this.#isOver()) return
    this.#mayBeOnRecord = false
    this.#end()
    this.#options.onLost(reason)
  }

  #end(): void {
    this.#state = 'over'
    this.#cancelDeadline()
    this.#awake.abort()
  }

  #see(stored: StoredLease | null): void {
    if (stored === null || stored.version !== this.#seen?.version) this.#seenSince = this.#options.clock.monotonic()
    this.#seen = stored
    this.#heard = this.#options.clock.monotonic()
  }

  #isFree(stored: StoredLease | null): boolean {
    if (stored === null || stored.record.holder === '' || stored.record.holder === this.#options.identity) return true
    const unchanged = this.#options.clock.monotonic() - this.#seenSince
    return unchanged >= Math.max(stored.record.duration, this.#options.leaseDuration)
  }

  #recordAt(renewed: Instant): Pick<LeaseRecord, 'holder' | 'duration' | 'renewed'> {
    return { holder: this.#options.identity, duration: this.#options.leaseDuration, renewed }
  }

  /** A machine that slept is told by the wall clock alone. */
  #sinceRenewal(): Millis {
    const { monotonic, wall } = this.#now()
    return Math.max(monotonic - this.#renewed.monotonic, wall - this.#renewed.wall)
  }

  #now(): Moment {
    return { monotonic: this.#options.clock.monotonic(), wall: this.#options.clock.now() }
  }

  /** After a renewal without an answer there is as long for another. */
  get #timeout(): Millis {
    const { renewDeadline, retryPeriod } = this.#options
    return (renewDeadline - retryPeriod) / 2
  }

  /** A method, because the state changes while others wait. */
  #isOver(): boolean {
    return this.#state === 'over'
  }
}
