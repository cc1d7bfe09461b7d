import { formatDuration, type Instant } from '../core/time.ts'

/** How long it still lasts, to the second; `0s` once it is over. */
export function timeLeft(notAfter: Instant, now: Instant): string {
  const left = notAfter - now
  return left < 1_000 ? '0s' : formatDuration(left)
}
