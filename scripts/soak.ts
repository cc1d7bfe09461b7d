/** `make soak`: Lapse's processes under churn and faults for a while; fails when anything is left over or grows. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

import { soak, type Course } from './soak/run.ts'
import { describe, faultsOf, judgedFrom } from './soak/verdict.ts'

const minute = 60_000
const leastMinutes = 4
const usage = `usage: node scripts/soak.ts [--minutes N] [--seed N]

Runs Lapse as its chart installs it behind a misbehaving proxy for N minutes (20), with grants that come and go and faults in the
order that the seed gives (a new one each time). Prints a line a minute. The exit code is 1 if anything leaked, crashed or grew; the
growth of memory is judged from ${judgedFrom / minute} minutes on.`

const exitCode = await main(process.argv.slice(2))
process.exit(exitCode)

async function main(argv: readonly string[]): Promise<number> {
  const course = read(argv)
  if (typeof course === 'number') return course
  const { millis, seed } = course
  console.log(`seed ${seed}; again: node scripts/soak.ts --minutes ${millis / minute} --seed ${seed}\n`)
  const outcome = await soak(course)
  console.log(describe(outcome))
  const problems = faultsOf(outcome)
  for (const problem of problems) console.error(`FAILED: ${problem}`)
  if (problems.length === 0) console.log('Nothing is left over, nothing crashed, nothing grew.')
  return problems.length === 0 ? 0 : 1
}

/** What to run; a number is the exit code of a run that is over. */
function read(argv: readonly string[]): Course | number {
  try {
    const options = {
      minutes: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      help: { type: 'boolean', short: 'h' },
    } as const
    const { minutes, seed, help } = parseArgs({ args: [...argv], options }).values
    if (help !== true) return courseOf(minutes, seed)
    console.log(usage)
    return 0
  } catch (error) {
    console.error(`soak: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

function courseOf(minutes: string, seed: string): Course {
  if (!(Number(minutes) >= leastMinutes)) throw new Error(`--minutes must be ${leastMinutes} or more`)
  if (!/^\d+$/.test(seed)) throw new Error('--seed must be a whole number')
  return { millis: Number(minutes) * minute, seed: Number(seed) }
}
