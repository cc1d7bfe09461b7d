import type { Instant, Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { DatedAnswer } from '../runtime/trusted-clock.ts'

/**
 * What time it is for the API server: the clock of this machine, as far as it agrees with the Date of the last answer.
 * That is in whole seconds; beyond it the API server is believed.
 */
export class ServerTime {
  readonly #clock: Clock
  #last: DatedAnswer | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  heard(answer: DatedAnswer): void {
    if (Number.isFinite(answer.date)) this.#last = answer
  }

  now(): Instant {
    const own = this.#clock.now()
    if (this.#last === null) return own
    const { date, sent, received } = this.#last
    const since = (then: Millis): Millis => this.#clock.monotonic() - then
    const [earliest, latest] = [date + since(received), date + 1_000 + since(sent)]
    return Math.floor(Math.min(Math.max(own, earliest), latest))
  }
}
