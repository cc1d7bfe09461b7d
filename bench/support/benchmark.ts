import { withBuiltPackage } from './built-package.ts'
import type { Measurement } from './measurement.ts'
import { renderTable } from './table.ts'

/** One script of bench/. */
export interface Benchmark {
  /** What `--only` knows it by: the name of its file. */
  readonly name: string
  /** What is measured, how, and against what. The first line says it in one sentence. */
  readonly description: string
  /** Starts what it needs and leaves nothing running. */
  measure(): Promise<readonly Measurement[]>
}

/** The script as a program of its own. Resolves to the exit code; a goal that is missed is no failure. */
export async function runAlone(benchmark: Benchmark, argv = process.argv.slice(2)): Promise<number> {
  const [flag] = argv
  if (flag === '--help' || flag === '-h') {
    console.log(`usage: node bench/${benchmark.name}.ts\n\n${benchmark.description}`)
    return 0
  }
  if (flag !== undefined) {
    console.error(`bench/${benchmark.name}.ts: unknown argument ${JSON.stringify(flag)}; see --help`)
    return 2
  }
  process.stdout.write(renderTable(await withBuiltPackage(() => benchmark.measure())))
  return 0
}
