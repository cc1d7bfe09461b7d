import { celUint, isCelUint, type CelValue } from '@bufbuild/cel'
import { Fault } from './meter.ts'
import { int, overload, text, type Overload } from './overload.ts'
import { durationOf, timestampOf } from './time-value.ts'

const maxInt = 2n ** 63n - 1n
const maxUint = 2n ** 64n - 1n

/** As Go's strconv reads them, which is what Kubernetes does: the engine takes '' for 0 and 'abc' for NaN. */
const wholeNumber = /^[+-]?\d{1,20}$/
const decimal = /^[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,5})?$/
const named: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, infinity: Infinity }

/** int64, or a Fault. */
export function checkedInt(value: bigint): bigint {
  if (value > maxInt || value < -maxInt - 1n) throw new Fault('a number or time is out of range')
  return value
}

function readInt(from: string): bigint {
  if (!wholeNumber.test(from)) throw new Fault('the text is no whole number')
  return checkedInt(BigInt(from.startsWith('+') ? from.slice(1) : from))
}

function readUint(from: string): bigint {
  if (!/^\d{1,20}$/.test(from) || BigInt(from) > maxUint) throw new Fault('the text is no whole number without a sign')
  return BigInt(from)
}

function readDouble(from: string): number {
  if (decimal.test(from)) return Number(from)
  const special = /^([+-]?)(nan|inf|infinity)$/i.exec(from)
  if (special === null) throw new Fault('the text is no number')
  return (special[1] === '-' ? -1 : 1) * (named[special[2]?.toLowerCase() ?? ''] ?? NaN)
}

/** As Go's %g: with an exponent of two digits or more from a million on, and below a ten-thousandth. */
function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

const nanosOfUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const durationForm = /^[+-]?(?:0|(?:(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:ns|us|µs|μs|ms|s|m|h)){1,20})$/

/** In billionths of a second, as Go's time.ParseDuration: the engine takes '' for none. */
function readDuration(from: string): bigint {
  if (!durationForm.test(from)) throw new Fault('the text is no duration')
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit = ''] of from.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = nanosOfUnit[unit] ?? 0n
    nanos += BigInt(whole || '0') * size + (BigInt(fraction || '0') * size) / 10n ** BigInt(fraction.length)
  }
  return checkedInt(from.startsWith('-') ? -nanos : nanos)
}

function divided(a: CelValue | undefined, b: CelValue | undefined): CelValue {
  const divisor = uint(b)
  if (divisor === 0n) throw new Fault('divides by zero')
  return celUint(uint(a) / divisor)
}

/** Of the least number by -1 there is none, as there is no quotient. */
function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new Fault('divides by zero')
  checkedInt(a / b)
  return a % b
}

function uint(value: CelValue | undefined): bigint {
  return isCelUint(value) ? value.value : 0n
}

/** Conversions and divisions that the engine gets wrong. */
export const conversions: readonly Overload[] = [
  overload('int', ['string'], 'int', ([from]) => readInt(text(from))),
  overload('uint', ['string'], 'uint', ([from]) => celUint(readUint(text(from)))),
  overload('double', ['string'], 'double', ([from]) => readDouble(text(from))),
  overload('-_', ['int'], 'int', ([value]) => checkedInt(-int(value))),
  overload('_%_', ['int', 'int'], 'int', ([a, b]) => remainder(int(a), int(b))),
  overload('_/_', ['uint', 'uint'], 'uint', ([a, b]) => divided(a, b)),
  overload('string', ['double'], 'string', ([from]) => formatDouble(from as number)),
  overload('duration', ['string'], 'duration', ([from]) => durationOf(readDuration(text(from)))),
  overload('timestamp', ['int'], 'timestamp', ([seconds]) => timestampOf(int(seconds))),
]
