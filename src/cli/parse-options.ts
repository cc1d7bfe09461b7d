import { parseArgs, type ParseArgsConfig } from 'node:util'
import { parseDuration, type Millis } from '../core/time.ts'
import { UsageError } from '../runtime/usage-error.ts'

type OptionTable = NonNullable<ParseArgsConfig['options']>

/** The words of a command line by a table of node:util. Throws UsageError. */
export function parseOptions<const T extends OptionTable>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Throws UsageError unless there are exactly the words that `names` calls for, such as `GRANT`. */
export function wordsOf(positionals: readonly string[], names: readonly string[]): readonly string[] {
  const [missing] = names.slice(positionals.length)
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  if (positionals.length > names.length)
    throw new UsageError(`unexpected argument ${JSON.stringify(positionals[names.length])}`)
  return positionals
}

/** The value of an option that must be given. Throws UsageError. */
export function required(option: string, value: string | undefined): string {
  if (value === undefined || value.trim() === '') throw new UsageError(`${option} is missing`)
  return value
}

/** Those of an option that is repeated, or separated by commas. */
export function listOf(values: readonly string[] | undefined): readonly string[] {
  return (values ?? []).flatMap((value) => value.split(',')).filter((value) => value !== '')
}

/** Throws UsageError. */
export function durationOf(option: string, text: string): Millis {
  const duration = parseDuration(text)
  if (duration === null) throw new UsageError(`${option} must be a duration such as 1h30m, not ${JSON.stringify(text)}`)
  return duration
}
