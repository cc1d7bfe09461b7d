import type { Millis } from '../core/time.ts'

export type ReconcileResult = 'success' | 'error' | 'requeue_after'

/** What a work queue tells whoever measures it. */
export interface QueueObserver {
  depth(size: number): void
  added(): void
  retried(): void
  /** A worker took a key that had waited for `waited` since it became ready. */
  started(waited: Millis): void
  finished(result: ReconcileResult, took: Millis): void
  workers(limit: number): void
  /** `ages` is read whenever somebody wants to know: for how long each busy worker has been at its key. */
  unfinished(ages: () => readonly Millis[]): void
}

export const noQueueObserver: QueueObserver = {
  depth: () => {},
  added: () => {},
  retried: () => {},
  started: () => {},
  finished: () => {},
  workers: () => {},
  unfinished: () => {},
}
