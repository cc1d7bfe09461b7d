import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { output } from '../test/support/command.ts'
import { entrypoint } from '../test/support/pod-container.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { median } from './support/percentile.ts'
import { progress } from './support/progress.ts'

const runs = 20
const manyFiles = 500
const root = join(import.meta.dirname, '..')
const world = ['policy-1.4.0.yaml', 'namespace.yaml', 'serviceaccount.yaml']
const judged = inExamples('deployment-good.yaml')
const checkOf = (path: string): readonly string[] => ['check', '-f', path, '--policy', ...world.map(inExamples)]

export const check: Benchmark = {
  name: 'check',
  description: `How long a developer waits for \`lapse check\` on one file.

check/one-file  wall time of bin/lapse check on examples/payments/deployment-good.yaml under its policy, from start to exit,
                with the compile cache that bin/lapse keeps already written, in a folder of this run's own.
check/500-files the same on 500 copies of that file in one folder, each with a name of its own.
check/node      wall time of \`node -e 0\` with the same Node.

${runs} of each in turns, medians. Goals: check/one-file at most 3 times check/node, check/500-files at most 500 ms.`,
  measure,
}

async function measure(): Promise<readonly Measurement[]> {
  const directory = await mkdtemp(join(tmpdir(), 'lapse-bench-'))
  try {
    await writeFiles(directory)
    return await timeAll(directory, { XDG_CACHE_HOME: directory })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function writeFiles(directory: string): Promise<void> {
  const text = await readFile(judged, 'utf8')
  for (let index = 0; index < manyFiles; index++) {
    const copy = text.replace(/^( {2}name: )\S+$/m, `$1copy-${index}`)
    await writeFile(join(directory, `${index}.yaml`), copy)
  }
}

type Environment = Readonly<Record<string, string>>

async function timeAll(directory: string, env: Environment): Promise<readonly Measurement[]> {
  const lapse = entrypoint()
  await warmUp(checkOf(judged), 1, env)
  await warmUp(checkOf(directory), manyFiles, env)
  progress(`${runs} checks of one file and of ${manyFiles}, in turns with node -e 0`)
  const one: number[] = []
  const many: number[] = []
  const bare: number[] = []
  for (let index = 0; index < runs; index++) {
    one.push(await timeOf(lapse, checkOf(judged), env))
    many.push(await timeOf(lapse, checkOf(directory), env))
    bare.push(await timeOf(process.execPath, ['-e', '0'], env))
  }
  const reference = measurement('check/node', median(bare), 'ms')
  const ofNode = { of: 'ratio', is: '≤', bound: 3 } as const
  const halfASecond = { of: 'value', is: '≤', bound: 500 } as const
  return [
    measurement('check/one-file', median(one), 'ms', { against: reference, goal: ofNode }),
    measurement('check/500-files', median(many), 'ms', { goal: halfASecond }),
    reference,
  ]
}

/** Fills the compile cache, and makes sure that what is timed are judgements: such as say yes under the policy. */
async function warmUp(argv: readonly string[], objects: number, env: Environment): Promise<void> {
  await output(entrypoint(), argv, { env })
  const { summary } = JSON.parse(await output(entrypoint(), [...argv, '--output', 'json'], { env })) as Report
  if (summary.allowed !== objects) throw new Error(`not all was judged: ${JSON.stringify(summary)}`)
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
