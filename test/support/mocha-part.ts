import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { atExit } from './at-exit.ts'
import type { Failure } from './telling-reporter.ts'

const root = join(import.meta.dirname, '../..')
const mocha = join(root, 'node_modules/mocha/bin/mocha.js')
const reporter = join(import.meta.dirname, 'telling-reporter.ts')

/** The files of one process of mocha, which has control planes and ports of its own. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
  /** FIRST-LAST. Two that take free ports of the same range may take the same one. */
  readonly ports: string
}

export interface Outcome {
  readonly part: Part
  /** Null: ended by a signal. */
  readonly code: number | null
  readonly seconds: number
  readonly passing: number
  readonly failing: number
  readonly pending: number
  readonly failures: readonly Failure[]
}

/** Prints all that it wrote when it ends. Rejects only if it cannot be started. */
export function runPart(part: Part): Promise<Outcome> {
  const colour = process.stdout.isTTY ? ['--color'] : []
  const args = [mocha, '--config', '.mocharc.e2e.json', '--reporter', reporter, ...colour, ...part.files]
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, LAPSE_TEST_PORTS: part.ports },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const callOff = atExit(() => child.kill('SIGTERM'))
    const failures: Failure[] = []
    child.on('message', (failure) => failures.push(failure as Failure))
    let written = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (written += text))
    child.on('error', reject)
    child.on('close', (code) => {
      callOff()
      console.log(`\n=== the tests ${part.name}\n${written}`)
      const seconds = Math.round((performance.now() - started) / 1_000)
      resolve({ part, code, seconds, ...countsOf(written), failures })
    })
  })
}

/** As mocha's reporter says them after everything else. */
function countsOf(written: string): Pick<Outcome, 'passing' | 'failing' | 'pending'> {
  const count = (what: string): number => Number(new RegExp(`^\\W*(\\d+) ${what}\\b`, 'm').exec(written)?.[1] ?? 0)
  return { passing: count('passing'), failing: count('failing'), pending: count('pending') }
}
