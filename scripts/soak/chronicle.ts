import type { Counts } from './churn.ts'
import type { Vitals } from './vitals.ts'
import type { Overstays } from './watchman.ts'

/** What one line of the table is about. */
export interface Minute {
  /** Since the beginning. */
  readonly minutes: number
  /** null: the controller does not answer. */
  readonly vitals: Vitals | null
  readonly life: number
  readonly counts: Counts
  /** Of Lapse's processes to the API server. */
  readonly requestsPerSecond: number
  readonly overstays: Overstays
  readonly auditMegabytes: number
  readonly faults: readonly string[]
}

const columns: readonly (readonly [head: string, cell: (minute: Minute) => string])[] = [
  ['min', ({ minutes }) => minutes.toFixed(1)],
  ['life', ({ life }) => String(life)],
  ['RSS MB', ({ vitals }) => tenths(vitals?.rssMegabytes)],
  ['heap MB', ({ vitals }) => tenths(vitals?.heapMegabytes)],
  ['fds', ({ vitals }) => whole(vitals?.openFiles)],
  ['handles', ({ vitals }) => whole(vitals?.handles)],
  ['restarts', ({ vitals }) => whole(vitals?.watchRestarts)],
  ['req/s', ({ requestsPerSecond }) => tenths(requestsPerSecond)],
  ['alive', ({ counts }) => String(counts.alive)],
  ['ended', ({ counts }) => String(counts.ended)],
  ['asked', ({ counts }) => String(counts.asked)],
  ['over ms', ({ overstays }) => whole(overstays.undisturbed)],
  ['in outage', ({ overstays }) => whole(overstays.disturbed)],
  ['audit MB', ({ auditMegabytes }) => whole(auditMegabytes)],
]
const width = 9

export const heading = `Of the controller, a line a minute. life: which one it is, counted from 1; restarts: watches that it opened again; req/s: of both
processes; over ms: the longest over-stay that no outage explains; in outage: the longest of the rest.

${columns.map(([head]) => head.padStart(width)).join(' ')}  faults`

export function lineOf(minute: Minute): string {
  return `${columns.map(([, cell]) => cell(minute).padStart(width)).join(' ')}  ${minute.faults.join(', ')}`
}

function tenths(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(1)
}

function whole(value: number | undefined): string {
  return value === undefined ? '-' : String(Math.round(value))
}
