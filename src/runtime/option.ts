import { type Millis, parseDuration } from '../core/time.ts'

interface Described {
  readonly description: string
  /** One letter for use as `-f`. */
  readonly short?: string
}

export interface StringOption extends Described {
  readonly kind: 'string'
  /** The only values that are accepted; without it every text is. */
  readonly choices?: readonly string[]
  readonly default: string | null
}

export interface IntegerOption extends Described {
  readonly kind: 'integer'
  readonly minimum?: number
  readonly maximum?: number
  readonly default: number | null
}

/** Written as `1h30m`; the value is in milliseconds. */
export interface DurationOption extends Described {
  readonly kind: 'duration'
  readonly default: string | null
}

export interface BooleanOption extends Described {
  readonly kind: 'boolean'
  readonly default: boolean
}

/** Repeated, or separated by commas. */
export interface ListOption extends Described {
  readonly kind: 'list'
  readonly default: readonly string[]
}

/** The default is what holds when nothing is said; null: nothing. */
export type Option = StringOption | IntegerOption | DurationOption | BooleanOption | ListOption

/** The key of an option is its name in a file; `logLevel` is `--log-level` as a flag and LAPSE_LOG_LEVEL in the environment. */
export type OptionTable = Readonly<Record<string, Option>>

type Unset<O extends Option> = null extends O['default'] ? null : never

type SetValue<O extends Option> = O extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : { string: string; integer: number; duration: Millis; boolean: boolean; list: readonly string[] }[O['kind']]

export type OptionValue<O extends Option> = SetValue<O> | Unset<O>

export type AnyValue = string | number | boolean | readonly string[] | null

/** null: the text is no value of this option. */
export function parseOption(option: Option, text: string): Exclude<AnyValue, null> | null {
  switch (option.kind) {
    case 'string':
      return option.choices === undefined || option.choices.includes(text) ? text : null
    case 'integer':
      return parseInteger(option, text)
    case 'duration':
      return parseDuration(text)
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : null
    case 'list':
      return text.split(',').filter((item) => item !== '')
    default:
      return option satisfies never
  }
}

export function defaultOf(option: Option): AnyValue {
  return option.kind === 'duration' && option.default !== null ? parseOption(option, option.default) : option.default
}

/** What a value must be, as a noun phrase: `an integer from 0 to 65535`. */
export function expected(option: Option): string {
  switch (option.kind) {
    case 'string':
      return option.choices === undefined ? 'a text' : `one of ${option.choices.join(', ')}`
    case 'integer':
      return `an integer${range(option)}`
    case 'duration':
      return 'a duration such as 1h30m'
    case 'boolean':
      return 'true or false'
    case 'list':
      return 'a list, separated by commas'
    default:
      return option satisfies never
  }
}

export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

export function variableOf(key: string): string {
  return `LAPSE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

function parseInteger({ minimum = -Infinity, maximum = Infinity }: IntegerOption, text: string): number | null {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= minimum && value <= maximum ? value : null
}

function range({ minimum, maximum }: IntegerOption): string {
  const from = minimum === undefined ? '' : ` from ${minimum}`
  return maximum === undefined ? from : `${from} to ${maximum}`
}
