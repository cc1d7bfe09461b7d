/**
 * `npm run test:e2e`: the end-to-end tests in two processes of mocha side by side, since many of them mostly wait. A file
 * that fails is run once more, alone, and only its second failure fails the run; but both are told at the very end.
 */
import { glob } from 'node:fs/promises'
import { join, relative } from 'node:path'

import { controlPlaneBinary } from '../test/support/control-plane-binary.ts'
import { runPart, type Outcome, type Part } from '../test/support/mocha-part.ts'
import type { Failure } from '../test/support/telling-reporter.ts'

const root = join(import.meta.dirname, '..')
const all = ['test/bypass/**/*.test.ts', 'test/e2e/**/*.test.ts']
/** About half of the whole by its duration, of which most is waiting. What is in no list is in the part beside it. */
const waiting = [
  'test/e2e/chaos.test.ts',
  'test/e2e/clock.test.ts',
  'test/e2e/{drift,pool-attack}.test.ts',
  'test/e2e/events.test.ts',
  'test/e2e/faults-{call,compaction,control-plane,operator,watch}.test.ts',
  'test/e2e/grant-{crash,lifecycle}.test.ts',
  'test/e2e/reaper.test.ts',
  'test/e2e/rotation.test.ts',
  'test/e2e/standby.test.ts',
]

/** What states how much of a minute of faults comes through: it has the machine to itself, when the others have ended. */
const alone = ['test/e2e/faults-resets.test.ts']

/** More files than this fail because of the change and not because the machine was busy: they are not run again. */
const mostFilesAgain = 3

process.exit(await main())

async function main(): Promise<number> {
  const [last, ...parts] = await divide()
  await controlPlaneBinary() // not built by both
  const started = performance.now()
  const running = parts.map((part) => () => runPart(part))
  console.log(
    `${[...parts, last].map(({ name, files }) => `${files.length} files ${name}`).join(', ')}; each is printed when it ends`,
  )
  const together = await (attaches() ? inTurn(running) : Promise.all(running.map((run) => run())))
  const once = [...together, await runPart(last)]
  const again = await runAgain(once)
  const outcomes = [...once, ...again]
  for (const outcome of outcomes) console.log(lineOf(outcome))
  const sum = (key: 'passing' | 'failing' | 'pending'): number => once.reduce((total, each) => total + each[key], 0)
  const seconds = Math.round((performance.now() - started) / 1_000)
  console.log(
    `end to end: ${sum('passing')} passing, ${sum('failing')} failing, ${sum('pending')} pending in ${seconds} s`,
  )
  for (const { part, failures } of outcomes) for (const failure of failures) console.log(failureOf(part, failure))
  if (isGreen(once)) return 0
  if (again.length === 0 || !isGreen(again)) return 1
  console.log('what failed has passed when it was run again, alone: a race of the test or of Lapse, to be looked into')
  return 0
}

/** A part that ran nothing has shown nothing. */
function isGreen(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ code, passing }) => code === 0 && passing > 0)
}

/** The files that failed, one after the other; none if that could not make the run green. */
async function runAgain(outcomes: readonly Outcome[]): Promise<readonly Outcome[]> {
  const failed = outcomes.filter(({ code, passing }) => code !== 0 || passing === 0)
  const files = new Set(failed.flatMap(({ failures }) => failures.map(({ file }) => relative(root, file))))
  const isBroken = failed.some(({ failures, failing }) => failures.length === 0 || failures.length !== failing)
  if (isBroken || files.size > mostFilesAgain || [...files].some((file) => !file.startsWith('test/'))) return []
  const runs = [...files].map(
    (file) => () => runPart({ name: `of ${file}, again`, files: [file], ports: '20000-25999' }),
  )
  return inTurn(runs)
}

/** Whether both parts have the control plane of `make cluster`: tests count what happens there, so the parts take turns. */
function attaches(): boolean {
  return process.env['LAPSE_TEST_CLUSTER'] !== undefined
}

/** The part that goes alone, and those that go side by side. */
async function divide(): Promise<readonly [alone: Part, ...sideBySide: Part[]]> {
  const [lone, waits, every] = [await filesNamed(alone), await filesNamed(waiting), await filesOf(all)]
  const rest = every.filter((file) => !lone.includes(file) && !waits.includes(file))
  return [
    { name: 'that need the machine', files: lone, ports: '20000-25999' },
    { name: 'that wait', files: waits, ports: '20000-25999' },
    { name: 'that work', files: rest, ports: '26000-31999' },
  ]
}

/** Fails when a pattern matches nothing: it speaks of a file that was renamed. */
async function filesNamed(patterns: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(patterns.map((pattern) => filesOf([pattern])))
  const stale = patterns.find((_, index) => found[index]?.length === 0)
  if (stale !== undefined) throw new Error(`no test is named ${stale}`)
  return found.flat()
}

async function filesOf(patterns: readonly string[]): Promise<readonly string[]> {
  const files: string[] = []
  for await (const file of glob(patterns, { cwd: root })) files.push(file)
  return files.sort()
}

async function inTurn<T>(runs: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const results: T[] = []
  for (const run of runs) results.push(await run())
  return results
}

function failureOf({ name }: Part, { file, title, reason }: Failure): string {
  const [firstLine] = reason.split('\n')
  return `failed among the tests ${name}: ${relative(root, file)}: ${title}: ${firstLine}`
}

function lineOf({ part, code, seconds, passing, failing, pending }: Outcome): string {
  const ended = code === 0 ? '' : `, ended with ${code ?? 'a signal'}`
  return `the tests ${part.name}: ${passing} passing, ${failing} failing, ${pending} pending in ${seconds} s${ended}`
}
