import { formatDuration, type Millis } from '../core/time.ts'
import type { Log } from './log.ts'
import type { TrustedClock } from './trusted-clock.ts'

/** Clocks that differ by more than this are told of. */
export const tolerance: Millis = 5_000
/** How often they are compared. */
const interval: Millis = 5_000

export const disagreementHelp =
  'By how much the wall clock, the API server and what they said before differ; so much shorter are grants that are issued now.'

export interface ClockWatchOptions {
  readonly clock: TrustedClock
  readonly log: Log
  /** Told the first time that they differ, and that they do no longer (null). */
  readonly onChange?: (disagreement: Millis | null) => void
}

/** Says once when the witnesses of a clock begin to differ, and once when they agree again. */
export class ClockWatch {
  readonly #options: ClockWatchOptions
  #differ = false
  #cancel = (): void => {}

  constructor(options: ClockWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#look()
    this.#cancel = this.#options.clock.after(interval, () => this.start())
  }

  stop(): void {
    this.#cancel()
  }

  #look(): void {
    const { clock, log, onChange } = this.#options
    const disagreement = clock.disagreement()
    if (disagreement > tolerance === this.#differ) return
    this.#differ = !this.#differ
    if (this.#differ) log.error('clocks disagree', { by: formatDuration(disagreement) })
    else log.info('clocks agree again')
    onChange?.(this.#differ ? disagreement : null)
  }
}
