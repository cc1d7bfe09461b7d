import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { output } from '../test/support/command.ts'
import { progress, runAlone, type Benchmark } from './support/benchmark.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { median } from './support/percentile.ts'

const runs = 20
const root = join(import.meta.dirname, '..')
const lapse = join(root, 'bin/lapse')
const world = ['policy-1.4.0.yaml', 'namespace.yaml', 'serviceaccount.yaml']
const argv = ['check', '-f', inExamples('deployment-good.yaml'), '--policy', ...world.map(inExamples)]

export const check: Benchmark = {
  name: 'check',
  description: `How long a developer waits for \`lapse check\` on one file.

check/one-file  wall time of bin/lapse check on examples/payments/deployment-good.yaml under its policy, from start to exit,
                with the compile cache that bin/lapse keeps already written, in a folder of this run's own.
check/node      wall time of \`node -e 0\` with the same Node.

${runs} of each in turns, medians. Goal: check/one-file at most 3 times check/node.`,
  measure,
}

async function measure(): Promise<readonly Measurement[]> {
  const cache = await mkdtemp(join(tmpdir(), 'lapse-bench-'))
  try {
    return await timeBoth({ XDG_CACHE_HOME: cache })
  } finally {
    await rm(cache, { recursive: true, force: true })
  }
}

type Environment = Readonly<Record<string, string>>

async function timeBoth(env: Environment): Promise<readonly Measurement[]> {
  await warmUp(env)
  progress(`${runs} checks of one file, in turns with node -e 0`)
  const checks: number[] = []
  const bare: number[] = []
  for (let index = 0; index < runs; index++) {
    checks.push(await timeOf(lapse, argv, env))
    bare.push(await timeOf(process.execPath, ['-e', '0'], env))
  }
  const reference = measurement('check/node', median(bare), 'ms')
  const goal = { of: 'ratio', is: '≤', bound: 3 } as const
  return [measurement('check/one-file', median(checks), 'ms', { against: reference, goal }), reference]
}

/** Fills the compile cache, and makes sure that what is timed is a judgement: one that says yes under the policy. */
async function warmUp(env: Environment): Promise<void> {
  await output(lapse, argv, { env })
  const { summary } = JSON.parse(await output(lapse, [...argv, '--output', 'json'], { env })) as Report
  if (summary.allowed !== 1) throw new Error(`the file was not judged: ${JSON.stringify(summary)}`)
}

interface Report {
  readonly summary: { readonly allowed: number }
}

async function timeOf(file: string, args: readonly string[], env: Environment): Promise<number> {
  const start = performance.now()
  await output(file, args, { env })
  return performance.now() - start
}

function inExamples(name: string): string {
  return join(root, 'examples/payments', name)
}

if (import.meta.main) process.exitCode = await runAlone(check)
