import type { Instant, Millis } from '../core/time.ts'
import type { Clock, TwoSidedClock } from './clock.ts'

/** The Date header of an answer: in whole seconds, rounded down, by the clock of whoever answered. */
export interface DatedAnswer {
  readonly date: Instant
  /** When its request was sent and when it was received, by the monotonic clock. */
  readonly sent: Millis
  readonly received: Millis
}

/** Instants less the monotonic clock: what the answers of a while say at least and at most. */
interface ServerClaims {
  readonly since: Millis
  readonly latest: Millis
  readonly earliest: Millis
}

/** What was answered is a witness for once to twice this time of answers, and longer while there are none. */
const claimsWindow: Millis = 60_000

/**
 * A clock that several witnesses vouch for: the wall clock, the Date of what API servers answered, and what those have said
 * together before, carried on by the monotonic clock. Who goes on by `now` and counts new ends from `earliest` gives nothing for longer
 *
 * 1. than it has said, in one process, whatever is set to what: from one `earliest` on, `now` is never behind the monotonic clock;
 * 2. than it has said and two seconds and the time of two answers, across processes, while at each issue one of wall clock
 *    and API server is not ahead, and at each later look one of them is not behind;
 * 3. than it has said, however far both are set back, once all that was heard in this process was right together.
 *
 * None of this holds across processes when wall clock and API servers are ahead together at an issue and put right later.
 */
export class TrustedClock implements TwoSidedClock {
  readonly #clock: Clock
  #recent: ServerClaims | null = null
  #before: ServerClaims | null = null
  /** The greatest that all witnesses have reached together, less the monotonic clock then. */
  #agreed: Millis = -Infinity
  /** What `now` said last, and when by the monotonic clock. */
  #said: { readonly now: Instant; readonly at: Millis } = { now: -Infinity, at: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The latest that a witness says: what has ended by one of them has ended. Never goes back; while it is ahead of all
   * witnesses it goes at half their speed, until they have caught up.
   */
  now(): Instant {
    const elapsed = this.monotonic()
    // until an API server is heard, what the wall clock says is not agreed upon
    if (this.#recent !== null) this.#agreeOn(this.#earliestAt(elapsed), elapsed)
    const claims = [this.#recent, this.#before].map((each) => (each?.latest ?? -Infinity) + elapsed)
    const held = this.#said.now + (elapsed - this.#said.at) / 2
    const now = Math.max(this.#clock.now(), ...claims, this.#agreed + elapsed, held)
    this.#said = { now, at: elapsed }
    return Math.floor(now)
  }

  /** The earliest that a witness says, from which new ends are counted: a clock that runs ahead gives nothing for longer. */
  earliest(): Instant {
    const elapsed = this.monotonic()
    const earliest = this.#earliestAt(elapsed)
    this.#agreeOn(earliest, elapsed)
    return earliest
  }

  /** By how much the witnesses differ: so much shorter is what is given meanwhile. Never negative. */
  disagreement(): Millis {
    const now = this.now()
    return Math.max(0, now - this.#earliestAt(this.monotonic()))
  }

  #earliestAt(elapsed: Millis): Instant {
    const claims = [this.#recent, this.#before].map((each) => (each?.earliest ?? Infinity) + elapsed)
    return Math.floor(Math.min(this.#clock.now(), ...claims))
  }

  #agreeOn(instant: Instant, elapsed: Millis): void {
    this.#agreed = Math.max(this.#agreed, instant - elapsed)
  }

  /** Any answer will do, a refusal too. A Date that is none is no witness. */
  heard({ date, sent, received }: DatedAnswer): void {
    if (!Number.isFinite(date)) return
    const latest = date - received
    const earliest = date + 1_000 - sent
    const recent = this.#recent
    if (recent === null || received - recent.since >= claimsWindow) {
      this.#before = recent
      this.#recent = { since: received, latest, earliest }
    } else {
      this.#recent = {
        since: recent.since,
        latest: Math.max(recent.latest, latest),
        earliest: Math.min(recent.earliest, earliest),
      }
    }
  }

  monotonic(): Millis {
    return this.#clock.monotonic()
  }

  after(delay: Millis, action: () => void): () => void {
    return this.#clock.after(delay, action)
  }
}
