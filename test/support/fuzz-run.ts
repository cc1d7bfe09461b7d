import { readFile } from 'node:fs/promises'
import { Pool, type Dispatcher } from 'undici'

import { seeded } from './churn.ts'
import { fuzzCase, type FuzzCase } from './fuzz-mutations.ts'
import { pick } from './fuzz-random.ts'
import type { FuzzSeed } from './fuzz-seeds.ts'
import { judgeAnswer, type FuzzAnswer } from './fuzz-verdict.ts'

/** Where the webhook listens, and which process it is. */
export interface FuzzTarget {
  readonly port: number
  readonly ca: string
  readonly servername: string
  readonly pid: number
}

export interface FuzzCourse {
  readonly cases: number
  /** The same seed gives the same cases. */
  readonly seed: number
}

export interface FuzzOutcome {
  readonly cases: number
  readonly allowed: number
  readonly refused: number
  readonly rejected: number
  /** Of how many it was certain that they must not be allowed. */
  readonly claimed: number
  /** The first few answers that are wrong, in words. */
  readonly faults: readonly string[]
  /** MiB, read in even steps of the run. */
  readonly resident: readonly number[]
}

/** So many at once: reviews that name what is not there wait for half a second each. */
const connections = 48
const mostFaults = 10
const readings = 100

/** Sends spoilt reviews over kept connections, and judges every answer. Stops early at ten that are wrong. */
export async function fuzz(
  { port, ca, servername, pid }: FuzzTarget,
  seeds: readonly FuzzSeed[],
  { cases, seed }: FuzzCourse,
  progress: (done: number) => void = () => undefined,
): Promise<FuzzOutcome> {
  const pool = new Pool(`https://127.0.0.1:${port}`, { connect: { ca, servername }, connections, allowH2: false })
  const counts = { allowed: 0, refused: 0, rejected: 0, claimed: 0 }
  const faults: string[] = []
  const resident: number[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < cases && faults.length < mostFaults) {
      const index = next++
      if (index % Math.ceil(cases / readings) === 0) {
        resident.push(await residentMegabytes(pid))
        progress(index)
      }
      const random = seeded(seed + index)
      const from = pick(random, seeds)
      const one = fuzzCase(from.path, from.review, random)
      const answer = await ask(pool, one)
      const { outcome, claimed, fault } = judgeAnswer(from, one, answer)
      counts[outcome]++
      if (claimed) counts.claimed++
      if (fault !== null) faults.push(describe(fault, index, one, answer))
    }
  }
  try {
    await Promise.all(Array.from({ length: connections }, worker))
  } finally {
    await pool.destroy()
  }
  return { cases: next, ...counts, faults, resident }
}

async function ask(pool: Pool, { method, path, headers, body }: FuzzCase): Promise<FuzzAnswer> {
  const options: Dispatcher.RequestOptions = { method, path, headers, body }
  try {
    const answer = await pool.request(options)
    return { status: answer.statusCode, body: await answer.body.text() }
  } catch (error) {
    return { status: 0, body: `${(error as NodeJS.ErrnoException).code}` }
  }
}

function describe(fault: string, index: number, { method, path, headers, body }: FuzzCase, answer: FuzzAnswer): string {
  const sent = `${method} ${path} ${JSON.stringify(headers).slice(0, 200)}\n${body.toString('utf8').slice(0, 6_000)}`
  return `case ${index}: ${fault}\n${sent}\nwas answered ${answer.status}: ${answer.body.slice(0, 2_000)}`
}

export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024
}

/**
 * By how many MiB the memory of the second half of a run lies above that of the first, whose first fifth warms up: the lowest
 * readings of both, which are what is left after a collection.
 */
export function growthOf(resident: readonly number[]): number {
  const middle = Math.floor(resident.length / 2)
  return Math.min(...resident.slice(middle)) - Math.min(...resident.slice(Math.floor(resident.length / 5), middle))
}
