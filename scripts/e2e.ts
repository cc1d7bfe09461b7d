/** `npm run test:e2e`: the end-to-end tests in two processes of mocha side by side, since many of them mostly wait. */
import { spawn } from 'node:child_process'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'

import { atExit } from '../test/support/at-exit.ts'
import { controlPlaneBinary } from '../test/support/control-plane-binary.ts'

const root = join(import.meta.dirname, '..')
const mocha = join(root, 'node_modules/mocha/bin/mocha.js')
const all = ['test/bypass/**/*.test.ts', 'test/e2e/**/*.test.ts']
/** About half of the whole by its duration, of which most is waiting. What is in no list is in the part beside it. */
const waiting = [
  'test/e2e/chaos.test.ts',
  'test/e2e/clock.test.ts',
  'test/e2e/{drift,pool-attack}.test.ts',
  'test/e2e/events.test.ts',
  'test/e2e/faults-{call,compaction,control-plane,operator,watch}.test.ts',
  'test/e2e/grant-{crash,lifecycle}.test.ts',
  'test/e2e/lease.test.ts',
  'test/e2e/reaper.test.ts',
  'test/e2e/rotation.test.ts',
  'test/e2e/standby.test.ts',
  'test/e2e/waivers.test.ts',
]

/** What states how much of a minute of faults comes through: it has the machine to itself, when the others have ended. */
const alone = ['test/e2e/faults-resets.test.ts']

/** The files of one process of mocha, which has control planes and ports of its own. */
interface Part {
  readonly name: string
  readonly files: readonly string[]
  /** FIRST-LAST. Two that take free ports of the same range may take the same one. */
  readonly ports: string
}

interface Outcome {
  readonly part: Part
  /** Null: ended by a signal. */
  readonly code: number | null
  readonly seconds: number
  readonly passing: number
  readonly failing: number
  readonly pending: number
}

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
  const outcomes = [...together, await runPart(last)]
  for (const outcome of outcomes) console.log(lineOf(outcome))
  const sum = (key: 'passing' | 'failing' | 'pending'): number => outcomes.reduce((total, each) => total + each[key], 0)
  const seconds = Math.round((performance.now() - started) / 1_000)
  console.log(
    `end to end: ${sum('passing')} passing, ${sum('failing')} failing, ${sum('pending')} pending in ${seconds} s`,
  )
  // a part that ran nothing has shown nothing
  return outcomes.every(({ code, passing }) => code === 0 && passing > 0) ? 0 : 1
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

/** Prints all that it wrote when it ends. Rejects only if it cannot be started. */
function runPart(part: Part): Promise<Outcome> {
  const colour = process.stdout.isTTY ? ['--color'] : []
  const args = [mocha, '--config', '.mocharc.e2e.json', ...colour, ...part.files]
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, LAPSE_TEST_PORTS: part.ports },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const callOff = atExit(() => child.kill('SIGTERM'))
    let written = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (written += text))
    child.on('error', reject)
    child.on('close', (code) => {
      callOff()
      console.log(`\n=== the tests ${part.name}\n${written}`)
      resolve({ part, code, seconds: Math.round((performance.now() - started) / 1_000), ...countsOf(written) })
    })
  })
}

/** As mocha's reporter says them after everything else. */
function countsOf(written: string): Pick<Outcome, 'passing' | 'failing' | 'pending'> {
  const count = (what: string): number => Number(new RegExp(`^\\W*(\\d+) ${what}\\b`, 'm').exec(written)?.[1] ?? 0)
  return { passing: count('passing'), failing: count('failing'), pending: count('pending') }
}

function lineOf({ part, code, seconds, passing, failing, pending }: Outcome): string {
  const ended = code === 0 ? '' : `, ended with ${code ?? 'a signal'}`
  return `the tests ${part.name}: ${passing} passing, ${failing} failing, ${pending} pending in ${seconds} s${ended}`
}
