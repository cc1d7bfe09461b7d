/** `make oracle`: Lapse's verdicts compared with those of Kubernetes' own code, on many generated cases. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

import type { Agreement, Course } from '../test/support/oracle-comparison.ts'
import { oracleComparisons } from '../test/support/oracle-comparisons.ts'
import { startOracle } from '../test/support/oracle.ts'

const usage = `usage: node scripts/oracle.ts [--cases N] [--seed N]

Puts N (1000000) generated pairs of rule lists, and clusters, writes, pods and conditions in proportion, to Kubernetes' own
code and to Lapse's, and prints what was compared. The seed says which cases (new ones each time). The exit code is 1 if an answer
differs; the smallest case that was found is printed with both answers.`

const exitCode = await main(process.argv.slice(2))
process.exit(exitCode)

async function main(argv: readonly string[]): Promise<number> {
  const course = read(argv)
  if (typeof course === 'number') return course
  const { cases, seed } = course
  console.log(`seed ${seed}; again: node scripts/oracle.ts --cases ${cases} --seed ${seed}\n`)
  const differences = await compareAll(course)
  for (const difference of differences) console.error(`\nDIFFERENT: ${difference}`)
  console.log(`\n${differences.length} differences`)
  return differences.length === 0 ? 0 : 1
}

async function compareAll({ cases, seed }: Course): Promise<readonly string[]> {
  const oracle = await startOracle()
  const differences: string[] = []
  console.log(row('compared', 'cases', 'answers', 'seconds', 'difference'))
  for (const { comparison, weight } of oracleComparisons) {
    const started = performance.now()
    const agreement = await comparison.run(oracle, { cases: Math.max(1, Math.round(cases * weight)), seed })
    const seconds = ((performance.now() - started) / 1_000).toFixed(1)
    const label = `${comparison.name}: ${comparison.unit}`
    console.log(row(label, `${agreement.cases}`, `${agreement.questions}`, seconds, outcomeOf(agreement)))
    if (agreement.difference !== null) differences.push(`${comparison.name}\n${agreement.difference}`)
  }
  await oracle.stop()
  return differences
}

function outcomeOf({ difference }: Agreement): string {
  return difference === null ? 'none' : 'FOUND'
}

function row(label: string, ...cells: readonly string[]): string {
  return `${label.padEnd(54)}${cells.map((cell) => cell.padStart(11)).join('')}`
}

/** What to run; a number is the exit code of a run that is over. */
function read(argv: readonly string[]): Course | number {
  try {
    const options = {
      cases: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      help: { type: 'boolean', short: 'h' },
    } as const
    const { cases, seed, help } = parseArgs({ args: [...argv], options }).values
    if (help !== true) return courseOf(cases, seed)
    console.log(usage)
    return 0
  } catch (error) {
    console.error(`oracle: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

function courseOf(cases: string, seed: string): Course {
  if (!/^[1-9]\d*$/.test(cases)) throw new Error('--cases must be a whole number, 1 or more')
  if (!/^\d+$/.test(seed)) throw new Error('--seed must be a whole number')
  return { cases: Number(cases), seed: Number(seed) }
}
