import { readFile } from 'node:fs/promises'
import { type CommandLine, readCommandLine } from './command-line.ts'
import {
  type AnyValue,
  defaultOf,
  expected,
  flagOf,
  type Option,
  type OptionTable,
  type OptionValue,
  parseOption,
  variableOf,
} from './option.ts'
import { UsageError } from './usage-error.ts'

export { UsageError } from './usage-error.ts'
export type { Option, OptionTable } from './option.ts'

/** The values of a table, by its keys, and what was left on the command line. */
export type Config<T extends OptionTable> = { readonly [K in keyof T]: OptionValue<T[K]> } & {
  readonly arguments: readonly string[]
}

/** How many words that are no flags a command takes. */
export interface Positionals {
  readonly minimum: number
  readonly maximum: number
  /** As messages call one, such as NAME. */
  readonly name: string
}

export interface ConfigSource {
  /** Without the program and the command. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Default: none. */
  readonly arguments?: Positionals
}

/** In every table: the file that stands behind flags and environment. */
const common = {
  config: { kind: 'string', default: null, description: 'a YAML file with values for these options' },
} as const satisfies OptionTable

/** Flags over LAPSE_* variables over the file of --config over defaults, frozen. Throws UsageError. */
export async function readConfig<const T extends OptionTable>(table: T, source: ConfigSource): Promise<Config<T>> {
  const options = { ...common, ...table }
  const line = readCommandLine(options, source.argv)
  checkPositionals(line.positionals, source.arguments)
  const path = fromFlags('config', common.config, line) ?? fromEnvironment('config', common.config, source.env)
  const file = path === undefined ? {} : await readConfigFile(String(path), table)
  const values: Record<string, AnyValue> = {}
  for (const [key, option] of Object.entries(table)) {
    const value =
      fromFlags(key, option, line) ?? fromEnvironment(key, option, source.env) ?? file[key] ?? defaultOf(option)
    values[key] = Array.isArray(value) ? Object.freeze([...(value as readonly string[])]) : value
  }
  return Object.freeze({ ...values, arguments: Object.freeze([...line.positionals]) }) as unknown as Config<T>
}

/** Whether the arguments ask for help instead of an action. */
export function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h')
}

/** One line for each option: flag, variable, meaning, what is accepted, default. For --help. */
export function describeOptions(table: OptionTable): string {
  const rows = Object.entries<Option>({ ...table, ...common }).map(([key, option]) => ({
    flag: `${option.short === undefined ? '' : `-${option.short}, `}${flagOf(key)}${option.kind === 'boolean' ? '' : ` ${option.kind.toUpperCase()}`}`,
    variable: variableOf(key),
    text: option.description + remarks(option),
  }))
  const width = (column: 'flag' | 'variable'): number => Math.max(...rows.map((row) => row[column].length))
  const [flags, variables] = [width('flag'), width('variable')]
  return rows
    .map(({ flag, variable, text }) => `  ${flag.padEnd(flags)}  ${variable.padEnd(variables)}  ${text}\n`)
    .join('')
}

function remarks(option: Option): string {
  const accepted = option.kind === 'string' && option.choices === undefined ? [] : [expected(option)]
  const fallback =
    option.default === null || option.default === '' || Array.isArray(option.default)
      ? []
      : [`default ${String(option.default)}`]
  const parts = [...(option.kind === 'boolean' ? [] : accepted), ...fallback]
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`
}

function checkPositionals(
  words: readonly string[],
  { minimum, maximum, name }: Positionals = { minimum: 0, maximum: 0, name: '' },
): void {
  if (words.length > maximum) throw new UsageError(`unexpected argument ${words[maximum]}`)
  if (words.length < minimum) throw new UsageError(`${name} is missing`)
}

/** undefined: not given. The last one counts; those of a list add up. */
function fromFlags(key: string, option: Option, { flags }: CommandLine): AnyValue | undefined {
  const given = flags.get(key)
  if (given === undefined) return undefined
  const values = given.map(({ written, text }) => valueOf(option, text, written))
  return option.kind === 'list' ? (values as readonly (readonly string[])[]).flat() : values.at(-1)
}

/** A variable that is set to nothing is not set. */
function fromEnvironment(key: string, option: Option, env: ConfigSource['env']): AnyValue | undefined {
  const text = env[variableOf(key)] ?? ''
  return text === '' ? undefined : valueOf(option, text, variableOf(key))
}

async function readConfigFile(path: string, table: OptionTable): Promise<Record<string, AnyValue>> {
  const { loadAll } = await import('js-yaml')
  let documents: readonly unknown[]
  try {
    documents = loadAll(await readFile(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`--config: cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
  // an empty file is a stream of no documents
  const content = documents[0] ?? {}
  if (documents.length > 1 || typeof content !== 'object' || Array.isArray(content))
    throw new UsageError(`--config: ${path} is not a mapping of options`)
  const entries = Object.entries(content as Record<string, unknown>).filter(([, value]) => value !== null)
  return Object.fromEntries(
    entries.map(([key, value]) => [key, fromFile(`${key} in ${path}`, optionOf(table, key), value)]),
  )
}

/** A key such as `constructor` names no option. */
function optionOf(table: OptionTable, key: string): Option | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function fromFile(where: string, option: Option | undefined, value: unknown): AnyValue {
  if (option === undefined) throw new UsageError(`unknown option ${where}`)
  if (option.kind === 'list' && Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  if (!['string', 'number', 'boolean'].includes(typeof value))
    throw new UsageError(`${where}: expected ${expected(option)}`)
  return valueOf(option, String(value), where)
}

function valueOf(option: Option, text: string, where: string): AnyValue {
  const value = parseOption(option, text)
  if (value === null) throw new UsageError(`${where}: expected ${expected(option)}, not ${JSON.stringify(text)}`)
  return value
}
