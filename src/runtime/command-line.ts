import { flagOf, type Option, type OptionTable } from './option.ts'
import { UsageError } from './usage-error.ts'

export interface CommandLine {
  /** By option key, in the order given; the flag is kept as it was written. */
  readonly flags: ReadonlyMap<string, readonly Flag[]>
  readonly positionals: readonly string[]
}

export interface Flag {
  readonly written: string
  readonly text: string
}

/**
 * Cuts arguments into flags and the rest: `--name value`, `--name=value`, `--switch`, `--no-switch`, `-n value`,
 * `-n=value`; `--` ends the flags, `-` is no flag. Throws UsageError for a flag that is not in the table.
 */
export function readCommandLine(options: OptionTable, argv: readonly string[]): CommandLine {
  const flags = new Map<string, Flag[]>()
  const positionals: string[] = []
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') return { flags, positionals: [...positionals, ...rest] }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word)
      continue
    }
    const [key, flag] = readFlag(options, word, rest)
    flags.set(key, [...(flags.get(key) ?? []), flag])
  }
  return { flags, positionals }
}

/** Takes the value from `rest` when it is not part of the word. */
function readFlag(options: OptionTable, word: string, rest: string[]): readonly [string, Flag] {
  const equals = word.indexOf('=')
  const written = equals === -1 ? word : word.slice(0, equals)
  const [key, option, meaning] = findOption(options, written)
  if (equals !== -1) {
    if (meaning === 'negated') throw new UsageError(`${written} takes no value`)
    return [key, { written, text: word.slice(equals + 1) }]
  }
  if (option.kind === 'boolean') return [key, { written, text: String(meaning === 'plain') }]
  const [text] = rest
  if (text === undefined || text.startsWith('--')) throw new UsageError(`${written} needs a value`)
  rest.shift()
  return [key, { written, text }]
}

function findOption(options: OptionTable, written: string): readonly [string, Option, 'plain' | 'negated'] {
  for (const [key, option] of Object.entries(options)) {
    const flag = flagOf(key)
    if (written === flag || (option.short !== undefined && written === `-${option.short}`))
      return [key, option, 'plain']
    if (option.kind === 'boolean' && written === flag.replace('--', '--no-')) return [key, option, 'negated']
  }
  throw new UsageError(`unknown flag ${written}; --help lists the flags there are`)
}
