import { celUint } from '@bufbuild/cel'
import { Fault } from './meter.ts'
import { int, overload, text, type Overload } from './overload.ts'
import { timestampOf } from './time-value.ts'

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

/** Conversions that the engine gets wrong. */
export const conversions: readonly Overload[] = [
  overload('int', ['string'], 'int', ([from]) => readInt(text(from))),
  overload('uint', ['string'], 'uint', ([from]) => celUint(readUint(text(from)))),
  overload('double', ['string'], 'double', ([from]) => readDouble(text(from))),
  overload('timestamp', ['int'], 'timestamp', ([seconds]) => timestampOf(int(seconds))),
]
