import type { EventNote, EventSink } from '../cluster/ports.ts'
import type { Log } from '../runtime/log.ts'

/** Records what a status says anew, once that status is written. A sink that breaks its promise does not break the reconcile. */
export function announce(
  { events, log }: { readonly events: EventSink; readonly log: Log },
  news: readonly EventNote[],
): void {
  for (const note of news) {
    try {
      events.record(note)
    } catch (error) {
      log.warn('event not recorded', { error })
    }
  }
}
