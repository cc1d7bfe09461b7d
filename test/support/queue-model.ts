import type { Instant, Millis } from '../../src/core/time.ts'
import type { Clock } from '../../src/runtime/clock.ts'

/** What a key is owed, and what would excuse a start of it. Delays of a retry are by the monotonic clock. */
interface Account {
  /** Since when a start is owed that was asked for without an instant. */
  owedSince: Millis | null
  /** The earliest instant to come that was asked for. */
  at: Instant | null
  /** By when it has to be tried again. */
  retryBy: Millis | null
  /** Whether a start is excused now, and by which instants and retries later. */
  mayStart: boolean
  mayStartAt: readonly Instant[]
  mayRetryAt: readonly Millis[]
  failures: number
  /** When its worker last wanted to look again. */
  promised: Instant | null
  running: boolean
  /** When its last run ended. */
  endedAt: Millis
}

export interface QueueModelOptions {
  readonly clock: Clock
  readonly concurrency: number
  readonly firstBackoff: Millis
  readonly longestBackoff: Millis
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
      this.#owe(account, now - account.at)
      account.at = null
    }
    account.at = Math.min(at, account.at ?? at)
    account.mayStartAt = [...account.mayStartAt, at]
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
    account.mayRetryAt = account.mayRetryAt.filter((at) => at > elapsed)
  }

  /** Its worker has ended. `again`: it wants to look again at that instant. */
  succeed(key: string, again: Instant | null): void {
    const account = this.#release(key)
    account.failures = 0
    account.promised = again
    if (again !== null) this.addAt(key, again)
  }

  fail(key: string): void {
    const { clock, firstBackoff, longestBackoff } = this.#options
    const account = this.#release(key)
    const retryAt = clock.monotonic() + Math.min(firstBackoff * 2 ** account.failures, longestBackoff)
    account.failures += 1
    account.retryBy = retryAt
    account.mayRetryAt = [...account.mayRetryAt, retryAt]
    if (account.promised !== null && account.promised > clock.now()) this.addAt(key, account.promised)
  }

  /** To be called when nothing is about to happen at this instant. */
  checkAtRest(): void {
    if (this.#state !== 'started' || this.#running >= this.#options.concurrency) return
    for (const [key, account] of this.#accounts) {
      if (!account.running && this.#dueSince(account) < Infinity && !this.#isTolerant()) {
        this.#complain(key, 'waits though a worker is free')
      }
    }
  }

  /** Keys that are owed a start, now or later. */
  get owed(): readonly string[] {
    return [...this.#accounts].filter(([, { owedSince, at }]) => owedSince !== null || at !== null).map(([key]) => key)
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

  #isExcused({ mayStart, mayStartAt, mayRetryAt }: Account): boolean {
    const { clock } = this.#options
    return mayStart || mayStartAt.some((at) => at <= clock.now()) || mayRetryAt.some((at) => at <= clock.monotonic())
  }

  /** By the monotonic clock; Infinity: it is not due yet. */
  #dueSince({ owedSince, at, retryBy }: Account): Millis {
    const { clock } = this.#options
    const [now, elapsed] = [clock.now(), clock.monotonic()]
    const dueByWall = at !== null && at <= now ? elapsed - (now - at) : Infinity
    const dueRetry = retryBy !== null && retryBy <= elapsed ? retryBy : Infinity
    return Math.min(owedSince ?? Infinity, dueByWall, dueRetry)
  }

  #checkPromptness(key: string, account: Account): void {
    const due = this.#dueSince(account)
    const possible = Math.max(due, account.endedAt, this.#freeSince, this.#startedAt)
    const late = this.#options.clock.monotonic() - possible
    if (late > 0 && !this.#isTolerant()) this.#complain(key, `${late} ms late`)
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
      retryBy: null,
      mayStart: false,
      mayStartAt: [],
      mayRetryAt: [],
      failures: 0,
      promised: null,
      running: false,
      endedAt: 0,
    }
    this.#accounts.set(key, account)
    return account
  }
}
