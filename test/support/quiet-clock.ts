import { setImmediate } from 'node:timers/promises'
import type { Instant, Millis } from '../../src/core/time.ts'
import { FakeClock } from './fake-clock.ts'

/** Longer than any way from one sign of life to the next between two ends of a connection in one process. */
const calmTurns = 12
const mostTurns = 4_000

/**
 * Time that passes only while nothing else happens: it stands still until the sockets of this process have come to
 * rest. So a test over real connections is exact to the millisecond and waits for nothing.
 */
export class QuietClock extends FakeClock {
  readonly #stops = new Set<{ readonly at: Instant }>()
  #stirs = 0
  /** Since time last passed. */
  #turns = 0

  /** Whoever moves data says so here; every timer that is set counts as well. */
  stir(): void {
    this.#stirs += 1
  }

  override after(delay: Millis, action: () => void): () => void {
    this.stir()
    const stop = { at: this.now() + Math.max(delay, 0) }
    this.#stops.add(stop)
    const cancel = super.after(delay, () => {
      this.#stops.delete(stop)
      action()
    })
    return () => {
      this.#stops.delete(stop)
      cancel()
    }
  }

  override async advance(by: Millis): Promise<void> {
    const end = this.now() + by
    await this.rest()
    while (this.now() < end || this.#next() <= end) {
      const step = Math.min(this.#next(), end) - this.now()
      if (step > 0) this.#turns = 0
      await super.advance(step)
      await this.rest()
    }
  }

  /** Resolves when nothing stirs any more; rejects when there is no end to it, without any time passing. */
  async rest(): Promise<void> {
    for (let calm = 0; calm < calmTurns; calm++) {
      if (++this.#turns > mostTurns) throw new Error(`${mostTurns} turns without rest at one instant`)
      const before = this.#stirs
      await setImmediate()
      if (this.#stirs !== before) calm = -1
    }
  }

  #next(): Instant {
    return Math.min(...Array.from(this.#stops, ({ at }) => at))
  }
}
