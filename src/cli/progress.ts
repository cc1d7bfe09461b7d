import type { Instant, Millis } from '../core/time.ts'
import type { CommandIo } from './command.ts'

const quietFor: Millis = 500
const every: Millis = 100

/** One line on the terminal for who waits longer than half a second; nothing anywhere else. */
export class Progress {
  readonly #io: CommandIo
  readonly #begun: Instant
  #next: Instant
  #shown = false

  constructor(io: CommandIo) {
    this.#io = io
    this.#begun = io.now()
    this.#next = this.#begun + quietFor
  }

  /** Says where the work is now, unless it said so a moment ago. */
  at(what: () => string): void {
    if (!this.#io.stderr.isTerminal || this.#io.env['TERM'] === 'dumb') return
    const now = this.#io.now()
    if (now < this.#next) return
    this.#next = now + every
    this.#shown = true
    this.#io.stderr.write(`\r\u001B[K${what()}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#io.stderr.write('\r\u001B[K')
    this.#shown = false
  }
}
