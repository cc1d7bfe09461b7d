import type { Millis } from '../core/time.ts'

const first: Millis = 5

export interface BackoffOptions {
  /** Of the pauses that nobody asks for; a pause that is asked for is honoured up to this. */
  readonly longest: Millis
  /** In [0, 1). */
  readonly random: () => number
}

/**
 * How long to leave what has failed again, `failures` times in a row before: 5 ms, doubled each time, spread over the upper
 * half so that what failed together is not tried together. An error that asks for a pause (`retryAfter`, in ms) has at least
 * that, and half as much again at most.
 */
export function backoffAfter(error: unknown, failures: number, { longest, random }: BackoffOptions): Millis {
  const spread = random() / 2
  const own = Math.min(first * 2 ** failures, longest) * (0.5 + spread)
  const asked = Math.min(pauseAskedBy(error), longest) * (1 + spread)
  return Math.ceil(Math.max(own, asked))
}

/** By its shape, for what is tried may be any service. */
function pauseAskedBy(error: unknown): Millis {
  const { retryAfter } = Object(error) as { readonly retryAfter?: unknown }
  return typeof retryAfter === 'number' && retryAfter > 0 ? retryAfter : 0
}
