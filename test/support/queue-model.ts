import type { Instant, Millis } from '../../src/core/time.ts'
import type { Clock } from '../../src/runtime/clock.ts'

/** A moment by one of the clocks: the wall clock's, or, as all delays, the monotonic one's. */
type Moment = { readonly at: Instant } | { readonly elapsed: Millis }

/** What a key is owed, and what would excuse a start of it. Delays are by the monotonic clock. */
interface Account {
  /** Since when a start is owed that was asked for without an instant. */
  owedSince: Millis | null
  /** The earliest instant to come that was asked for. */
  at: Instant | null
  /** When the earliest delay to come that was asked for is over. */
  delayedTo: Millis | null
  /** By when it has to be tried again. */
  retryBy: Millis | null
  /** Whether a start is excused now, and by which instants, and delays and retries, later. */
  mayStart: boolean
  mayStartAt: readonly Instant[]
  mayStartAfter: readonly Millis[]
  failures: number
  /** When its worker last wanted to look again. */
  promised: Moment | null
  running: boolean
  /** When its last run ended. */
  endedAt: Millis
}

export interface QueueModelOptions {
  readonly clock: Clock
  readonly concurrency: number
  readonly firstBackoff: Millis
  readonly longestBackoff: Millis
  /** In [0, 1), always the same: where in its spread a retry lies. */
  readonly spread: number
  /** For how long after the wall clock was set a key may be late. */
  readonly tolerance: Millis
}

/** What a work queue has to do, at which moment, by what was asked of it. */
export class QueueModel {
  /** Whatever it did otherwise, as sentences. */
  readonly violations: string[] = []
  readonly #options: QueueModelOptions
  readonly #accounts = new Map<string, Account>()
  #state: 'idle' | 'started' | 'draining' = 'idle'
  #running = 0
  /** When a worker last became free that was the last to be busy; when the queue began; when the wall clock was set. */
  #freeSince: Millis = 0
  #startedAt: Millis = 0
  #setAt: Millis = -Infinity

  constructor(options: QueueModelOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#running
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'started'
    this.#startedAt = this.#options.clock.monotonic()
  }

  drain(): void {
    this.#state = 'draining'
  }

  add(key: string): void {
    const account = this.#accountOf(key)
    account.owedSince ??= this.#options.clock.monotonic()
    account.mayStart = true
  }

  addAt(key: string, at: Instant): void {
    const account = this.#accountOf(key)
    const now = this.#options.clock.now()
    if (at <= now) return this.add(key)
    // what is due already is not to swallow what is to come
    if (account.at !== null && account.at <= now) {
      this.#owe(account, this.#isTolerant() ? 0 : now - account.at)
      account.at = null
    }
    account.at = Math.min(at, account.at ?? at)
    account.mayStartAt = [...account.mayStartAt, at]
  }

  addAfter(key: string, delay: Millis): void {
    this.#delay(key, this.#options.clock.monotonic() + delay)
  }

  /** To be called before the wall clock is set: what was due by it may or may not have been noticed. */
  set(): void {
    const now = this.#options.clock.now()
    for (const account of this.#accounts.values()) {
      if (account.mayStartAt.some((at) => at <= now)) account.mayStart = true
      if (account.at !== null && account.at <= now) account.at = null
    }
    this.#setAt = this.#options.clock.monotonic()
  }

  /** A worker takes the key. */
  take(key: string): void {
    const { clock, concurrency } = this.#options
    const account = this.#accountOf(key)
    const [now, elapsed] = [clock.now(), clock.monotonic()]
    if (this.#state !== 'started') this.#complain(key, `started while ${this.#state}`)
    if (account.running) this.#complain(key, 'two workers')
    if (this.#running >= concurrency) this.#complain(key, 'more workers than allowed')
    if (!this.#isExcused(account)) this.#complain(key, 'nobody asked for it by now')
    this.#checkPromptness(key, account)
    this.#running += 1
    account.running = true
    account.owedSince = null
    account.retryBy = null
    if (account.at !== null && account.at <= now) account.at = null
    account.mayStart = false
    // an instant that the clock was set past is noticed later, whatever was asked for meanwhile
    if (!this.#isTolerant()) account.mayStartAt = account.mayStartAt.filter((at) => at > now)
    if (account.delayedTo !== null && account.delayedTo <= elapsed) account.delayedTo = null
    account.mayStartAfter = account.mayStartAfter.filter((moment) => moment > elapsed)
  }

  /** Its worker has ended and wants to look again then; null: it does not. */
  succeed(key: string, again: Moment | null): void {
    const account = this.#release(key)
    account.failures = 0
    account.promised = again
    if (again !== null) this.#promise(key, again)
  }

  /** Its worker has failed; the failure asks for that pause (0: for none). */
  fail(key: string, asked: Millis): void {
    const { clock, firstBackoff, longestBackoff, spread } = this.#options
    const account = this.#release(key)
    const own = Math.min(firstBackoff * 2 ** account.failures, longestBackoff) * (0.5 + spread / 2)
    const pause = Math.max(own, Math.min(asked, longestBackoff) * (1 + spread / 2))
    const retryAt = clock.monotonic() + Math.ceil(pause)
    account.failures += 1
    account.retryBy = retryAt
    account.mayStartAfter = [...account.mayStartAfter, retryAt]
    if (account.promised !== null && this.#isToCome(account.promised)) this.#promise(key, account.promised)
  }

  /** To be called when nothing is about to happen at this instant. */
  checkAtRest(): void {
    if (this.#state !== 'started' || this.#running >= this.#options.concurrency) return
    for (const [key, account] of this.#accounts) {
      if (!account.running && this.#dueSince(account) < Infinity) {
        this.#complain(key, 'waits though a worker is free')
      }
    }
  }

  /** Keys that are owed a start, now or later. */
  get owed(): readonly string[] {
    return [...this.#accounts]
      .filter(([, { owedSince, at, delayedTo }]) => owedSince !== null || at !== null || delayedTo !== null)
      .map(([key]) => key)
  }

  #promise(key: string, moment: Moment): void {
    if ('at' in moment) this.addAt(key, moment.at)
    else this.#delay(key, moment.elapsed)
  }

  #isToCome(moment: Moment): boolean {
    const { clock } = this.#options
    return 'at' in moment ? moment.at > clock.now() : moment.elapsed > clock.monotonic()
  }

  #delay(key: string, to: Millis): void {
    const account = this.#accountOf(key)
    const elapsed = this.#options.clock.monotonic()
    if (to <= elapsed) return this.add(key)
    // as with an instant
    if (account.delayedTo !== null && account.delayedTo <= elapsed) {
      this.#owe(account, elapsed - account.delayedTo)
      account.delayedTo = null
    }
    account.delayedTo = Math.min(to, account.delayedTo ?? to)
    account.mayStartAfter = [...account.mayStartAfter, to]
  }

  #release(key: string): Account {
    const account = this.#accountOf(key)
    const elapsed = this.#options.clock.monotonic()
    if (this.#running === this.#options.concurrency) this.#freeSince = elapsed
    this.#running -= 1
    account.running = false
    account.endedAt = elapsed
    return account
  }

  #owe(account: Account, late: Millis): void {
    account.owedSince ??= this.#options.clock.monotonic() - late
    account.mayStart = true
  }

  #isExcused({ mayStart, mayStartAt, mayStartAfter }: Account): boolean {
    const { clock } = this.#options
    const elapsed = clock.monotonic()
    return mayStart || mayStartAt.some((at) => at <= clock.now()) || mayStartAfter.some((moment) => moment <= elapsed)
  }

  /** By the monotonic clock; Infinity: it is not due yet. Nothing but an instant may be noticed late. */
  #dueSince({ owedSince, at, delayedTo, retryBy }: Account): Millis {
    const { clock } = this.#options
    const [now, elapsed] = [clock.now(), clock.monotonic()]
    const dueByWall = at !== null && at <= now && !this.#isTolerant() ? elapsed - (now - at) : Infinity
    const [dueDelay, dueRetry] = [delayedTo, retryBy].map((moment) => (isPast(moment, elapsed) ? moment : Infinity))
    return Math.min(owedSince ?? Infinity, dueByWall, dueDelay ?? Infinity, dueRetry ?? Infinity)
  }

  #checkPromptness(key: string, account: Account): void {
    const due = this.#dueSince(account)
    const possible = Math.max(due, account.endedAt, this.#freeSince, this.#startedAt)
    const late = this.#options.clock.monotonic() - possible
    if (late > 0) this.#complain(key, `${late} ms late`)
  }

  #isTolerant(): boolean {
    return this.#options.clock.monotonic() - this.#setAt <= this.#options.tolerance
  }

  #complain(key: string, what: string): void {
    this.violations.push(`${key}: ${what}`)
  }

  #accountOf(key: string): Account {
    const known = this.#accounts.get(key)
    if (known !== undefined) return known
    const account: Account = {
      owedSince: null,
      at: null,
      delayedTo: null,
      retryBy: null,
      mayStart: false,
      mayStartAt: [],
      mayStartAfter: [],
      failures: 0,
      promised: null,
      running: false,
      endedAt: 0,
    }
    this.#accounts.set(key, account)
    return account
  }
}

function isPast(moment: Millis | null, elapsed: Millis): boolean {
  return moment !== null && moment <= elapsed
}
