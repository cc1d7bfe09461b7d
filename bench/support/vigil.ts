import { setTimeout as delay } from 'node:timers/promises'

import type { AdminApi } from '../../test/support/admin-api.ts'
import { isAllowed, type Subject } from './access-probe.ts'

/** Access that is to end at an instant, in milliseconds of Date.now(). */
export interface Ending {
  readonly subject: Subject
  readonly end: number
}

/** How many ask: who is late is asked about in turns, so that lateness does not bring more questions, and these more of it. */
const askers = 8
/** How long before its end one is asked about first. */
const lead = 10

/**
 * Asks about each from right before its end on until the answer is no, without a pause while there are as many askers. Resolves with
 * milliseconds from each end to its first no, which may be too high by a turn. Rejects when access ends before its time.
 */
export async function watchEnds(api: AdminApi, endings: readonly Ending[]): Promise<readonly number[]> {
  const open: Ending[] = []
  const late: number[] = []
  const asker = async (): Promise<void> => {
    while (late.length < endings.length) {
      const ending = open.shift()
      if (ending === undefined) await delay(1)
      else if (await isAllowed(api, ending.subject)) open.push(ending)
      else late.push(lateness(ending))
    }
  }
  const feeder = async (): Promise<void> => {
    for (const ending of endings.toSorted((a, b) => a.end - b.end)) {
      await delay(Math.max(0, ending.end - lead - Date.now()))
      open.push(ending)
    }
  }
  await Promise.all([feeder(), ...Array.from({ length: askers }, asker)])
  return late
}

function lateness({ subject, end }: Ending): number {
  const late = Date.now() - end
  if (late < 0) throw new Error(`the access of ${subject.name} ended before its time`)
  return late
}
