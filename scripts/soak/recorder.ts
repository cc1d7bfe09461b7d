import { glob, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { heading, lineOf } from './chronicle.ts'
import type { Churn } from './churn.ts'
import type { Reading } from './slope.ts'
import type { Stage } from './stage.ts'
import { vitalsOf, type Vitals } from './vitals.ts'
import type { Watchman } from './watchman.ts'

const interval = 2_000
const minute = 60_000

/** Of the controller, while it answered. Instants are those of Date.now(). */
export interface Sample {
  readonly at: number
  readonly life: number
  /** Milliseconds since that one was started. */
  readonly age: number
  readonly vitals: Vitals
}

export interface RecorderParts {
  readonly stage: Stage
  readonly churn: Churn
  readonly watchman: Watchman
}

/** Reads what the processes say of themselves, and prints a line a minute. */
export class Recorder {
  readonly samples: Sample[] = []
  readonly #parts: RecorderParts
  readonly #stopped = new AbortController()
  #faults: string[] = []
  #faultCount = 0
  #longest = { undisturbed: 0, disturbed: 0 }
  #rounds: Promise<void> = Promise.resolve()

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  /** Over-stays of the whole run, as far as lines were printed. */
  get longest(): { readonly undisturbed: number; readonly disturbed: number } {
    return this.#longest
  }

  get faultCount(): number {
    return this.#faultCount
  }

  noteFault(name: string): void {
    this.#faults.push(name)
    this.#faultCount += 1
  }

  start(): void {
    console.log(heading)
    this.#rounds = this.#go()
  }

  /** Prints a last line. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#rounds
  }

  async #go(): Promise<void> {
    const { signal } = this.#stopped
    const start = Date.now()
    let printed = start
    while (await delay(interval, true, { signal }).catch(() => false)) {
      await this.#sample()
      if (Date.now() < printed + minute) continue
      await this.#print((Date.now() - start) / minute, Date.now() - printed)
      printed = Date.now()
    }
    await this.#print((Date.now() - start) / minute, Date.now() - printed)
  }

  async #sample(): Promise<void> {
    const { stage } = this.#parts
    const { life, age } = stage
    const vitals = await vitalsOf(stage.controller)
    if (vitals !== null) this.samples.push({ at: Date.now(), life, age, vitals })
  }

  async #print(minutes: number, millis: number): Promise<void> {
    const { stage, churn, watchman } = this.#parts
    const overstays = watchman.takeLongest()
    this.#longest = {
      undisturbed: Math.max(this.#longest.undisturbed, overstays.undisturbed),
      disturbed: Math.max(this.#longest.disturbed, overstays.disturbed),
    }
    const line = lineOf({
      minutes,
      vitals: await vitalsOf(stage.controller),
      life: stage.life,
      counts: churn.counts,
      requestsPerSecond: (stage.proxy.requests.splice(0).length / millis) * 1_000,
      overstays,
      auditMegabytes: await auditMegabytes(stage.controlPlane.directory),
      faults: this.#faults,
    })
    this.#faults = []
    console.log(line)
  }
}

/** What is to be drawn of samples. */
export function readingsOf(samples: readonly Sample[], value: (vitals: Vitals) => number): readonly Reading[] {
  return samples.map(({ at, life, vitals }) => ({ life, at: at / 3_600_000, value: value(vitals) }))
}

async function auditMegabytes(directory: string): Promise<number> {
  let bytes = 0
  for await (const file of glob('audit*.log', { cwd: directory })) bytes += (await stat(join(directory, file))).size
  return bytes / 2 ** 20
}
