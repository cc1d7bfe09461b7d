import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { UsageError } from '../runtime/usage-error.ts'
import { exitCodes, type CommandIo } from './command.ts'

const help = `usage: lapse version [--output text|json]

Prints the version of the package, and the digest of the build: SHA-256 over the names and contents of its code files.
`

/** `lapse version`. Throws UsageError. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const values = parse(argv)
  if (values.help === true) {
    io.stdout.write(help)
    return exitCodes.ok
  }
  const format = values.output ?? 'text'
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`--output must be text or json, not ${JSON.stringify(format)}`)
  const build = { version: packageVersion(), digest: buildDigest(), node: process.version }
  io.stdout.write(
    format === 'json'
      ? `${JSON.stringify(build, null, 2)}\n`
      : `lapse ${build.version}\n${build.digest}\nNode.js ${build.node}\n`,
  )
  return exitCodes.ok
}

function parse(argv: readonly string[]) {
  const options = { help: { type: 'boolean', short: 'h' }, output: { type: 'string', short: 'o' } } as const
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** Over the tree that this module runs from, src or dist: for each file in order of its path, the path, NUL, and the content's own SHA-256. */
function buildDigest(): string {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
  const digest = createHash('sha256')
  for (const path of paths.sort()) {
    digest.update(`${path}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(root, path)))
        .digest(),
    )
  }
  return `sha256:${digest.digest('hex')}`
}
