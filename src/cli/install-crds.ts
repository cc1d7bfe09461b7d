import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { UsageError } from '../runtime/usage-error.ts'
import { exitCodes, type CommandIo } from './command.ts'

const help = `usage: lapse install crds [--output yaml]

Prints the CustomResourceDefinitions of lapse.dev, to be applied: lapse install crds | kubectl apply --server-side -f -
`

const crds = new URL('../../crds/', import.meta.url)

/** `lapse install crds`. Throws UsageError. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parse(argv)
  if (values.help === true) {
    io.stdout.write(help)
    return exitCodes.ok
  }
  if (positionals.length !== 1 || positionals[0] !== 'crds')
    throw new UsageError('say what to install: lapse install crds')
  if ((values.output ?? 'yaml') !== 'yaml')
    throw new UsageError(`--output must be yaml, not ${JSON.stringify(values.output)}`)
  const names = readdirSync(crds).filter((name) => name.endsWith('.yaml'))
  const documents = names.sort().map((name) => readFileSync(new URL(name, crds), 'utf8'))
  io.stdout.write(documents.join('---\n'))
  return exitCodes.ok
}

function parse(argv: readonly string[]) {
  const options = { help: { type: 'boolean', short: 'h' }, output: { type: 'string', short: 'o' } } as const
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
