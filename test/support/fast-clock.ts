import type { Instant, Millis } from '../../src/core/time.ts'
import { systemClock, type Clock } from '../../src/runtime/clock.ts'

/** Time that passes `factor` times as fast as it does: for a wait of minutes within seconds. */
export class FastClock implements Clock {
  readonly #factor: number
  readonly #start: Instant = systemClock.now()
  readonly #began: Millis = systemClock.monotonic()

  constructor(factor: number) {
    this.#factor = factor
  }

  now(): Instant {
    return this.#start + this.monotonic()
  }

  monotonic(): Millis {
    return (systemClock.monotonic() - this.#began) * this.#factor
  }

  after(delay: Millis, action: () => void): () => void {
    return systemClock.after(delay / this.#factor, action)
  }
}
