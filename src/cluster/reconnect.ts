import type { Millis } from '../core/time.ts'
import { TooManyRequests, Unreachable } from './errors.ts'

const first: Millis = 100
/** Short, because a refused connection costs next to nothing and the API server's return must be noticed soon. */
const longestWithoutAnswer: Millis = 1_500
const longest: Millis = 30_000

/** How long to wait after failures in a row: exponential, spread by half, longer at most for failures that the server answered. */
export class ReconnectBackoff {
  readonly #random: () => number
  #failures = 0
  #answered = false

  constructor(random: () => number) {
    this.#random = random
  }

  reset(): void {
    this.#failures = 0
  }

  next(error: unknown): Millis {
    const answered = !(error instanceof Unreachable)
    if (answered !== this.#answered) this.#failures = 0
    this.#answered = answered
    const backoff = Math.min(first * 2 ** this.#failures, answered ? longest : longestWithoutAnswer)
    this.#failures += 1
    const asked = error instanceof TooManyRequests ? error.retryAfter : 0
    return asked + backoff * (0.5 + this.#random() / 2)
  }
}
