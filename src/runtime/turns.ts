import type { Millis } from '../core/time.ts'
import type { Clock } from './clock.ts'

/** For so long work goes on before everything else in the process has its turn. */
const longest: Millis = 10

/**
 * Shares the process out. Work that waits for nothing would otherwise be done one piece after the other until none is left, and what
 * timers and connections have to say would come behind all of it.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #goOn: () => void
  /** Since when work has gone on without anything else in between; null: something was. */
  #since: Millis | null = null
  #isWaiting = false

  /** `goOn` is called when everything else has had its turn, if there was a piece that had to wait. */
  constructor(clock: Pick<Clock, 'monotonic'>, goOn: () => void) {
    this.#clock = clock
    this.#goOn = goOn
  }

  /** Whether the next piece may be begun now. */
  has(): boolean {
    const now = this.#clock.monotonic()
    if (this.#since !== null) {
      const isOver = now - this.#since >= longest
      this.#isWaiting ||= isOver
      return !isOver
    }
    this.#since = now
    setImmediate(() => this.#passOn())
    return true
  }

  #passOn(): void {
    const isWaiting = this.#isWaiting
    this.#since = null
    this.#isWaiting = false
    if (isWaiting) this.#goOn()
  }
}
