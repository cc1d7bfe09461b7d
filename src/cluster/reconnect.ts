import type { Millis } from '../core/time.ts'
import { TooManyRequests, Unavailable, Unreachable } from './errors.ts'

const first: Millis = 100
/** Short, because a try that nobody answers costs next to nothing and the API server's return must be noticed soon. */
const longestAway: Millis = 1_500
const longest: Millis = 30_000

/** There is no API server that could have heard of the request, though a load balancer may have answered for it. */
export function isAway(error: unknown): boolean {
  return error instanceof Unreachable || error instanceof Unavailable
}

/**
 * How long to wait after failures in a row: exponential, spread by half, longer at most for failures that the API server
 * answered. An API server that is away and one that refuses are counted apart: the one's long pauses are not the other's,
 * and two that alternate do not begin anew each time.
 */
export class ReconnectBackoff {
  readonly #random: () => number
  #away = 0
  #refused = 0

  constructor(random: () => number) {
    this.#random = random
  }

  reset(): void {
    this.#away = 0
    this.#refused = 0
  }

  next(error: unknown): Millis {
    const backoff = isAway(error)
      ? Math.min(first * 2 ** this.#away++, longestAway)
      : Math.min(first * 2 ** this.#refused++, longest)
    const asked = error instanceof TooManyRequests ? Math.min(error.retryAfter, longest) : 0
    return asked + backoff * (0.5 + this.#random() / 2)
  }
}
