import type { EventSink } from '../cluster/ports.ts'
import { formatDuration, type Millis } from '../core/time.ts'

/** Tells of clocks that differ, and that do no longer, by an event about the operator's Lease, while this process leads. */
export function clockNews(
  events: EventSink,
  lease: { readonly namespace: string; readonly name: string },
  leads: () => boolean,
): (disagreement: Millis | null) => void {
  const metadata = { ...lease, uid: '', resourceVersion: '' }
  const regarding = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }
  return (disagreement) => {
    if (!leads()) return
    if (disagreement === null) {
      const note = 'the clocks that the operator goes by agree again'
      events.record({ regarding, type: 'Normal', reason: 'ClocksAgree', action: 'Compare', note })
    } else {
      const by = formatDuration(disagreement)
      const note = `the clocks that the operator goes by differ by ${by}: grants that are issued meanwhile are so much shorter, and what has ended by one of them has ended`
      events.record({ regarding, type: 'Warning', reason: 'ClockDisagreement', action: 'Compare', note })
    }
  }
}
