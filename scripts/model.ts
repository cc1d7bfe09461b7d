/** `make model`: random lives of grants on a real control plane, and beside it a model of what is promised. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

import type { Tally } from '../test/support/grant-world.ts'
import { driveModel, startModelFixture, type ModelRun } from '../test/support/model-run.ts'

/** How many go on at the same time. */
const lanes = 5
const usage = `usage: node scripts/model.ts [--lives N] [--commands N] [--seed N]

Drives the controllers through N (100) random lives of at most 40 commands (create, approve, edit, delete, tamper, restart, clock jump,
partition …), ${lanes} at a time, and asks the API server after each who may do what. The exit code is 1 if the model allows less.`

const exitCode = await main(process.argv.slice(2))
process.exit(exitCode)

async function main(argv: readonly string[]): Promise<number> {
  const course = read(argv)
  if (typeof course === 'number') return course
  const { seed, runs, commands } = course
  console.log(
    `seed ${seed}; again: node scripts/model.ts --lives ${runs * lanes} --commands ${commands} --seed ${seed}`,
  )
  const fixture = await startModelFixture()
  try {
    console.log(describe(await driveModel(fixture, course)))
    return 0
  } catch (error) {
    console.error(`FAILED: ${(error as Error).message}`)
    return 1
  } finally {
    await fixture.stop()
  }
}

function describe({ done, allowed, looks }: Tally): string {
  return `${counted(done)}\n\n${looks} looks, which found as the model has it, and never beyond its end:\n${counted(allowed)}`
}

function counted(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, one], [, other]) => other - one)
  return sorted.map(([name, count]) => `${count} × ${name}`).join('\n')
}

/** What to run; a number is the exit code of a run that is over. */
function read(argv: readonly string[]): ModelRun | number {
  try {
    const options = {
      lives: { type: 'string', default: '100' },
      commands: { type: 'string', default: '40' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      help: { type: 'boolean', short: 'h' },
    } as const
    const { lives, commands, seed, help } = parseArgs({ args: [...argv], options }).values
    if (help === true) {
      console.log(usage)
      return 0
    }
    const runs = Math.ceil(wholeNumber('--lives', lives) / lanes)
    return { seed: Number(seed), runs, lanes, commands: wholeNumber('--commands', commands) }
  } catch (error) {
    console.error(`model: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${name} must be a whole number, 1 or more`)
  return Number(text)
}
