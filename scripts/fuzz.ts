/** `make fuzz`: spoilt AdmissionReviews against the webhook's own process, as the chart runs it. */
import { parseArgs } from 'node:util'

import { startControlPlane } from '../test/support/control-plane.ts'
import { fuzz, growthOf, type FuzzCourse, type FuzzOutcome } from '../test/support/fuzz-run.ts'
import { setFuzzStage } from '../test/support/fuzz-scene.ts'
import { fuzzSeeds } from '../test/support/fuzz-seeds.ts'

/** MiB by which the second half of a run may lie above the first, after collections. */
const mostGrowth = 48
const usage = `usage: node scripts/fuzz.ts [--cases N] [--seed N]

Sends N (200000) AdmissionReviews of all kinds, spoilt in all ways, to a webhook process over HTTPS. The seed says which (20360).
The exit code is 1 if an answer is in bad form, if what must be refused is allowed, or if the process ends or grows.`

const exitCode = await main(process.argv.slice(2))
process.exit(exitCode)

async function main(argv: readonly string[]): Promise<number> {
  const course = read(argv)
  if (typeof course === 'number') return course
  console.log(`seed ${course.seed}; again: node scripts/fuzz.ts --cases ${course.cases} --seed ${course.seed}`)
  const problems = await attempt(course)
  for (const problem of problems) console.error(`\nFAILED: ${problem}`)
  if (problems.length === 0)
    console.log('Every answer is in good form, nothing is allowed that must not be, nothing crashed, nothing grew.')
  return problems.length === 0 ? 0 : 1
}

async function attempt(course: FuzzCourse): Promise<readonly string[]> {
  const controlPlane = await startControlPlane()
  try {
    const { scene, target, lapse } = await setFuzzStage(controlPlane)
    const ended = lapse.webhook.exited.then(({ code, signal }) => `the webhook ended (${code ?? signal})`)
    const started = performance.now()
    const run = fuzz(target, fuzzSeeds(scene), course, (done) => process.stderr.write(`\r${done} sent`))
    const outcome = await Promise.race([run, ended])
    process.stderr.write('\r')
    const problems = typeof outcome === 'string' ? [outcome] : problemsOf(outcome, lapse.webhook.logs())
    if (typeof outcome !== 'string') console.log(describe(outcome, (performance.now() - started) / 1_000))
    await lapse.stop()
    return problems
  } finally {
    await controlPlane.stop()
  }
}

function describe({ cases, allowed, refused, rejected, claimed, resident }: FuzzOutcome, seconds: number): string {
  return [
    `${cases} reviews in ${seconds.toFixed(0)} s: ${allowed} allowed, ${refused} refused, ${rejected} rejected with a 4xx`,
    `of ${claimed} it was certain that they must not be allowed`,
    `memory: ${resident.map((value) => value.toFixed(0)).join(' ')} MiB, growth ${growthOf(resident).toFixed(1)} MiB`,
  ].join('\n')
}

function problemsOf({ faults, resident }: FuzzOutcome, log: string): readonly string[] {
  const growth = growthOf(resident)
  const failed = /^.*review (request )?failed.*$/m.exec(log)?.[0]
  return [
    ...faults,
    ...(growth > mostGrowth ? [`memory grew by ${growth.toFixed(1)} MiB`] : []),
    ...(failed === undefined ? [] : [`in the log: ${failed}`]),
  ]
}

/** What to run; a number is the exit code of a run that is over. */
function read(argv: readonly string[]): FuzzCourse | number {
  try {
    const options = {
      cases: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '20360' },
      help: { type: 'boolean', short: 'h' },
    } as const
    const { cases, seed, help } = parseArgs({ args: [...argv], options }).values
    if (help !== true) return courseOf(cases, seed)
    console.log(usage)
    return 0
  } catch (error) {
    console.error(`fuzz: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

function courseOf(cases: string, seed: string): FuzzCourse {
  if (!/^[1-9]\d*$/.test(cases)) throw new Error('--cases must be a whole number, 1 or more')
  if (!/^\d+$/.test(seed)) throw new Error('--seed must be a whole number')
  return { cases: Number(cases), seed: Number(seed) }
}
