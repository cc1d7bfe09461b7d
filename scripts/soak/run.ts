import { setTimeout as delay } from 'node:timers/promises'

import { Churn, lifetime } from './churn.ts'
import { Dice } from './dice.ts'
import { strikeUntil } from './faults.ts'
import { Outages } from './outages.ts'
import { readingsOf, Recorder, type Sample } from './recorder.ts'
import { lowsOf, slopeOf, type Slope } from './slope.ts'
import { Stage } from './stage.ts'
import { vitalsOf, type Vitals } from './vitals.ts'
import { Watchman } from './watchman.ts'

/** At the end, without churn and faults: every grant ends, idle connections are dropped, the garbage collector is through. */
const quiet = lifetime.most * 1_000 + 40_000
/** Of the whole time, before memory is looked at. A controller that is younger than half of that is left out as well. */
const warmUp = 0.25
/** Parts of the time in which memory is looked at; the low of each counts. */
const stretches = 15

/** How long, and with which seed. */
export interface Course {
  readonly millis: number
  readonly seed: number
}

export interface Outcome {
  readonly millis: number
  readonly asked: number
  readonly refused: number
  readonly policyVersions: number
  readonly faults: number
  readonly controllers: number
  readonly leasesLost: number
  readonly crashes: readonly string[]
  /** Grants that had not ended at the very end, and what carried any, in words. */
  readonly leftovers: readonly string[]
  /** How often the bindings were looked at. */
  readonly looks: number
  /** Access that outlived its end by over a second outside of outages, in words. */
  readonly late: readonly string[]
  /** The longest, milliseconds. */
  readonly overstay: { readonly undisturbed: number; readonly disturbed: number }
  /** Megabytes per hour, after the warm-up. */
  readonly rss: Slope
  readonly heap: Slope
  /** Before the churn; and at the very end, null if the controller does not answer. */
  readonly filesBefore: number
  readonly filesAfter: number | null
}

/** Prints a line a minute. Leaves nothing running. */
export async function soak(course: Course): Promise<Outcome> {
  const outages = new Outages()
  const stage = await Stage.set(outages)
  try {
    return await wearOut(stage, outages, course)
  } finally {
    await stage.stop()
  }
}

async function wearOut(stage: Stage, outages: Outages, { millis, seed }: Course): Promise<Outcome> {
  const start = Date.now()
  const churn = await Churn.prepare(stage.controlPlane, new Dice(seed + 1))
  const endedEarlyAt = (uid: string): number => churn.endedEarlyAt(uid)
  const watchman = new Watchman({ admin: stage.controlPlane.admin, outages, endedEarlyAt })
  const recorder = new Recorder({ stage, churn, watchman })
  const before = await vitalsOf(stage.controller)
  for (const part of [churn, watchman, recorder]) part.start()
  const enough = new AbortController()
  const onFault = (name: string): void => recorder.noteFault(name)
  const striking = strikeUntil({ stage, dice: new Dice(seed), outages, signal: enough.signal, onFault })

  const calmFrom = start + millis - quiet
  await delay(calmFrom - Date.now())
  enough.abort()
  await Promise.all([striking, churn.stopAsking()])
  await delay(quiet)
  const after = await vitalsOf(stage.controller)
  const leftovers = await watchman.findLeftovers()
  for (const part of [churn, watchman, recorder]) await part.stop()

  const isSettled = ({ at, age }: Sample): boolean =>
    at > start + millis * warmUp && at < calmFrom && age > (millis * warmUp) / 2
  const settled = recorder.samples.filter(isSettled)
  const { asked, refused, policyVersions } = churn.counts
  return {
    millis,
    asked,
    refused,
    policyVersions,
    faults: recorder.faultCount,
    controllers: stage.life,
    leasesLost: stage.leasesLost,
    crashes: stage.crashes,
    leftovers,
    looks: watchman.looks,
    late: watchman.late,
    overstay: recorder.longest,
    rss: growth(settled, ({ rssMegabytes }) => rssMegabytes),
    heap: growth(settled, ({ heapMegabytes }) => heapMegabytes),
    filesBefore: before?.openFiles ?? 0,
    filesAfter: after?.openFiles ?? null,
  }
}

function growth(samples: readonly Sample[], value: (vitals: Vitals) => number): Slope {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return { perHour: 0, margin: Infinity }
  return slopeOf(lowsOf(readingsOf(samples, value), (last.at - first.at) / stretches))
}
