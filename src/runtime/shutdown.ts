import { formatDuration, type Millis } from '../core/time.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** What of `process` a shutdown needs. */
export interface ProcessSignals {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  removeAllListeners(signal: 'SIGTERM' | 'SIGINT'): unknown
  exit(code: number): void
}

export interface ShutdownOptions {
  /** All steps together; then the process exits with 1 whatever still runs. */
  readonly grace: Millis
  readonly clock: Clock
  readonly log: Log
  /** Default: this process. */
  readonly process?: ProcessSignals
}

interface Step {
  readonly name: string
  readonly run: () => Promise<void> | void
  readonly within: Millis | null
}

const exitOf = { SIGINT: 130, SIGTERM: 143 } as const

/** Ends the process on SIGTERM or SIGINT: the steps in the order in which they were added, then exit 0. A second signal exits at once. */
export class Shutdown {
  readonly #options: ShutdownOptions
  readonly #process: ProcessSignals
  readonly #steps: Step[] = []
  #requested = false

  constructor(options: ShutdownOptions) {
    this.#options = options
    this.#process = options.process ?? process
  }

  /** True from the first signal on; a process is not ready any more then. */
  get requested(): boolean {
    return this.#requested
  }

  /** A step that takes longer than `within` has failed and is waited for no longer. null: only the grace of all ends it. */
  add(name: string, run: () => Promise<void> | void, within: Millis | null = null): void {
    this.#steps.push({ name, run, within })
  }

  /** Hears signals from here on, in the place of whoever did. */
  listen(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      this.#process.removeAllListeners(signal)
      this.#process.on(signal, () => this.#onSignal(signal))
    }
  }

  /** Runs the steps as a signal would and exits with this code; for a process that must end by itself. Once only. */
  async end(reason: string, code: number): Promise<void> {
    if (this.#requested) return
    this.#requested = true
    const { grace, clock, log } = this.#options
    log.info('shutting down', { reason })
    const giveUp = clock.after(grace, () => {
      log.error('shutdown took longer than its grace', { graceMs: grace })
      this.#process.exit(1)
    })
    let failed = false
    for (const step of this.#steps) failed = !(await this.#succeeds(step)) || failed
    giveUp()
    this.#process.exit(failed && code === 0 ? 1 : code)
  }

  #onSignal(signal: keyof typeof exitOf): void {
    if (this.#requested) this.#process.exit(exitOf[signal])
    else void this.end(signal, 0)
  }

  /** A step that fails is logged and does not keep the next from running. */
  async #succeeds({ name, run, within }: Step): Promise<boolean> {
    const { clock, log } = this.#options
    const late = Promise.withResolvers<never>()
    const giveUp = (limit: Millis): void => late.reject(new Error(`not done within ${formatDuration(limit)}`))
    const callOff = within === null ? () => {} : clock.after(within, () => giveUp(within))
    try {
      await Promise.race([run(), late.promise])
      return true
    } catch (error) {
      log.error('shutdown step failed', { step: name, error })
      return false
    } finally {
      callOff()
    }
  }
}
