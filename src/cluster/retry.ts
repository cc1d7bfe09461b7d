import type { Millis } from '../core/time.ts'
import { type ClusterError, NoCredentials, ServerError, TooManyRequests, Unauthorized, Unreachable } from './errors.ts'

/** A read may be made twice; a write must not be. */
export type Effect = 'read' | 'write'

interface Tries {
  readonly effect: Effect
  /** Those before this one. */
  readonly failures: number
  /** In [0, 1); spreads retries. */
  readonly random: () => number
}

const maxRetries = 4
const firstRetry: Millis = 50

/** How long to wait before a call is made again; null when that would not help, or might do a thing twice. */
export function waitBeforeRetry(error: ClusterError, { effect, failures, random }: Tries): Millis | null {
  // what was refused for who sent it was not done
  if (error instanceof Unauthorized && !(error instanceof NoCredentials)) return failures === 0 ? 0 : null
  if (effect === 'write' || failures >= maxRetries) return null
  const backoff = firstRetry * 2 ** failures * (0.5 + random())
  if (error instanceof TooManyRequests) return error.retryAfter + backoff
  return error instanceof Unreachable || (error instanceof ServerError && error.status >= 500) ? backoff : null
}
