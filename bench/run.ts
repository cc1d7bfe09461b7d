/** `make bench`: every script of this folder, one after another. */
import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { burst } from './burst.ts'
import { check } from './check.ts'
import { crowd, crowdSize } from './crowd.ts'
import { grant } from './grant.ts'
import { overstay } from './overstay.ts'
import { recovery } from './recovery.ts'
import { review } from './review.ts'
import { steady } from './steady.ts'
import type { Benchmark } from './support/benchmark.ts'
import { withBuiltPackage } from './support/built-package.ts'
import type { Measurement } from './support/measurement.ts'
import { renderTable } from './support/table.ts'
import { sync } from './sync.ts'
import { transport } from './transport.ts'
import { verdict } from './verdict.ts'

const benchmarks: readonly Benchmark[] = [
  grant,
  overstay,
  burst,
  crowd(crowdSize),
  verdict,
  review,
  check,
  transport,
  sync,
  recovery,
  steady,
]
const resultsPath = join(import.meta.dirname, 'results.json')
const usage = `usage: node bench/run.ts [--only NAME…]

Runs the benchmarks, prints a table of each and one of all, and writes bench/results.json with what was measured.
A goal that is missed is shown as MISSED; the exit code is 1 only if a benchmark could not be run.

${benchmarks.map(({ name, description }) => `  ${name.padEnd(11)}${description.split('\n', 1)[0]}`).join('\n')}

node bench/NAME.ts runs one alone; with --help it says in full what it measures.
`

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  const chosen = choose(argv)
  if (typeof chosen === 'number') return chosen
  return withBuiltPackage(() => measureAll(chosen))
}

async function measureAll(chosen: readonly Benchmark[]): Promise<number> {
  const [cpu] = cpus()
  console.log(`Node ${process.version}, ${cpus().length} × ${cpu?.model}`)
  const all: Measurement[] = []
  const failed: string[] = []
  for (const benchmark of chosen) {
    console.log(`\n${benchmark.name}`)
    const measured = await benchmark.measure().catch((error: unknown) => failureOf(benchmark, error))
    if (measured === null) failed.push(benchmark.name)
    else process.stdout.write(renderTable(measured))
    all.push(...(measured ?? []))
  }
  console.log('\nall')
  process.stdout.write(renderTable(all))
  await writeFile(resultsPath, `${JSON.stringify(all, null, 2)}\n`)
  if (failed.length > 0) console.error(`could not be run: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

/** What to run; a number is the exit code of a run that is over. */
function choose(argv: readonly string[]): readonly Benchmark[] | number {
  try {
    const options = { only: { type: 'string', multiple: true }, help: { type: 'boolean', short: 'h' } } as const
    const { only = benchmarks.map(({ name }) => name), help } = parseArgs({ args: [...argv], options }).values
    if (help !== true) return only.map(named)
    console.log(usage.trimEnd())
    return 0
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${usage.trimEnd()}`)
    return 2
  }
}

function named(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name)
  if (found === undefined) throw new Error(`there is no benchmark ${JSON.stringify(name)}`)
  return found
}

function failureOf({ name }: Benchmark, error: unknown): null {
  console.error(`${name} failed:`, error)
  return null
}
