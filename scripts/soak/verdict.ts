import type { Outcome } from './run.ts'
import type { Slope } from './slope.ts'

/** Megabytes an hour. Memory grows clearly when even the low end of the interval of its slope is above that. */
const tolerableGrowth = 10
/** Milliseconds. Before that a process has not found its size: its slope is shown and not judged. */
export const judgedFrom = 15 * 60_000
/** Beyond those of the beginning. */
const tolerableFiles = 10
/** Milliseconds, outside of outages: the longest back-off of a removal. */
const tolerableOverstay = 5_000

/** What must not be, in words; empty: all is well. */
export function faultsOf(outcome: Outcome): readonly string[] {
  const { leftovers, crashes, looks, overstay, filesBefore, filesAfter } = outcome
  const problems = [...leftovers.map((leftover) => `left over: ${leftover}`), ...crashes]
  if (looks === 0) problems.push('nobody ever saw the bindings')
  if (overstay.undisturbed > tolerableOverstay)
    problems.push(`access outlived its end by ${overstay.undisturbed} ms outside of outages`)
  if (filesAfter === null) problems.push('the controller does not answer at the end')
  else if (filesAfter > filesBefore + tolerableFiles)
    problems.push(`${filesAfter} open files at the end, ${filesBefore} before the churn`)
  return [...problems, ...growthIn(outcome)]
}

function growthIn({ millis, rss, heap }: Outcome): readonly string[] {
  if (millis < judgedFrom) return []
  if (rss.margin === Infinity) return ['no controller lived long enough for its memory to be judged']
  return Object.entries({ RSS: rss, heap })
    .filter(([, { perHour, margin }]) => perHour - margin > tolerableGrowth)
    .map(([what, slope]) => `${what} grows: ${inWords(slope)}`)
}

export function describe(outcome: Outcome): string {
  const { asked, refused, policyVersions, faults, controllers, leasesLost, overstay, looks, late } = outcome
  return `
requests       ${asked} grants asked for, ${policyVersions} versions of the policy; ${refused} requests failed in outages
faults         ${faults}; ${controllers} controllers, of which ${leasesLost} lost their lease
over-stay      ${overstay.undisturbed} ms at most outside of outages, ${overstay.disturbed} ms in them (${looks} looks)
${late.map((line) => `               ${line}\n`).join('')}left over      ${outcome.leftovers.length}
open files     ${outcome.filesBefore} before the churn, ${outcome.filesAfter ?? '-'} at the end
slope of RSS   ${inWords(outcome.rss)}
slope of heap  ${inWords(outcome.heap)}
`
}

function inWords({ perHour, margin }: Slope): string {
  return `${signed(perHour)} MB/h ± ${margin.toFixed(1)} (95 %)`
}

function signed(value: number): string {
  return value < 0 ? value.toFixed(1) : `+${value.toFixed(1)}`
}
