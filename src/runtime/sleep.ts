import type { Millis } from '../core/time.ts'
import type { Clock } from './clock.ts'

/** Resolves after the delay, or at once when the signal is aborted. */
export function sleep(clock: Clock, delay: Millis, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel()
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = clock.after(delay, wake)
    signal.addEventListener('abort', wake)
  })
}
