import type { Millis } from '../core/time.ts'

/** So many requests may follow one another at once. */
const burst = 100
/** One more may be made after each of these. */
const interval: Millis = 100

/** A token bucket. Every `now` is monotonic. */
export class EventRate {
  #tokens = burst
  #filledAt: Millis = 0

  /** How long until the next request may be made; 0: now. */
  wait(now: Millis): Millis {
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) / interval)
    this.#filledAt = now
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * interval)
  }

  /** Counts a request, also one that had to be made before its time: the next ones wait for it. */
  spend(): void {
    this.#tokens -= 1
  }
}
