import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { readChains, type AuditSource } from '../audit/read-chains.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { verificationDocument, verificationOf, verificationText } from './audit-report.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { parseOptions } from './parse-options.ts'
import { printedDocument } from './print-document.ts'

const help = `usage: lapse audit verify [OPTION…] [FILE…|-]

Proves that audit records hang together: that none of them was changed, taken out, put in or moved since it was written.
Files of one log are given in the order in which they were written; without any, or as -, stdin is read.

      --from-log              among the records stand other lines, such as in the output of kubectl logs: they are ignored,
                              and the records may be of several chains
      --expect-last HASH      the last record has this hash: nothing is missing behind it
  -o, --output FORMAT         text, json or yaml (default: text)
  -h, --help                  this text
`

const options = {
  'from-log': { type: 'boolean' },
  'expect-last': { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const

/** `lapse audit verify`. Throws UsageError. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(argv, options)
  if (values.help === true) {
    io.stdout.write(help)
    return exitCodes.ok
  }
  const [what, ...paths] = positionals
  if (what !== 'verify') throw new UsageError('say what to do: lapse audit verify')
  const format = formatOf(values.output ?? 'text')
  const expectedLast = hashFrom(values['expect-last'])
  const read = await readOrExplain(await sourcesOf(paths, io), values['from-log'] === true ? 'log' : 'file', io)
  if (read === null) return exitCodes.badInput
  const verification = verificationOf(read, expectedLast)
  io.stdout.write(
    format === 'text' ? verificationText(verification) : printedDocument(verificationDocument(verification), format),
  )
  return verification.problem === null ? exitCodes.ok : exitCodes.refused
}

async function sourcesOf(paths: readonly string[], io: CommandIo): Promise<readonly AuditSource[]> {
  const named = paths.length === 0 ? ['-'] : paths
  if (named.filter((path) => path === '-').length > 1) throw new UsageError('- stands for stdin, and can be read once')
  const stdin = named.includes('-') ? await io.stdin() : new Uint8Array()
  return named.map((path) =>
    path === '-' ? { name: 'stdin', chunks: [stdin] } : { name: path, chunks: createReadStream(resolve(io.cwd, path)) },
  )
}

/** null: one of them cannot be read, which stderr says. */
async function readOrExplain(...[sources, source, io]: [...Parameters<typeof readChains>, CommandIo]) {
  try {
    return await readChains(sources, source)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    io.stderr.write(`lapse audit: cannot read the records: ${error.message}\n`)
    return null
  }
}

function formatOf(text: string): 'text' | 'json' | 'yaml' {
  if (text === 'text' || text === 'json' || text === 'yaml') return text
  throw new UsageError(`--output must be text, json or yaml, not ${JSON.stringify(text)}`)
}

function hashFrom(text: string | undefined): string | null {
  if (text === undefined) return null
  if (!/^sha256:[0-9a-f]{64}$/.test(text))
    throw new UsageError(`--expect-last must be sha256: and 64 hex digits, not ${JSON.stringify(text)}`)
  return text
}
