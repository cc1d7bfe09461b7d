import type { CelValue } from '@bufbuild/cel'
import { checkedInt } from './conversions.ts'
import { Fault } from './meter.ts'
import { int, overload, text, type Overload } from './overload.ts'
import { unwrap, wrap } from './value.ts'

const one = 1_000_000_000n

const form = /^([+-]?)(\d{1,40})?(?:\.(\d{0,40}))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d{1,2})?$/

const decimalPowers: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaryPowers: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }

/** Kubernetes' resource.Quantity in billionths, rounded away from zero beyond them as Kubernetes does; null: it is none. */
export function parseQuantity(from: string): bigint | null {
  const found = form.exec(from)
  if (found === null) return null
  const [, sign, whole = '', fraction = '', suffix = ''] = found
  if (whole === '' && fraction === '') return null
  const digits = BigInt(whole + fraction || '0')
  const size = scaled(digits, suffix, fraction.length)
  return sign === '-' ? -size : size
}

function scaled(digits: bigint, suffix: string, decimals: number): bigint {
  const binary = binaryPowers[suffix]
  const shift = binary === undefined ? digits : digits << binary
  const power = (binary === undefined ? powerOf(suffix) : 0) + 9 - decimals
  if (power >= 0) return shift * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (shift + divisor - 1n) / divisor
}

function powerOf(suffix: string): number {
  return decimalPowers[suffix] ?? (suffix === '' ? 0 : Number(suffix.slice(1)))
}

function quantityOf(value: CelValue | undefined): bigint {
  return unwrap(value ?? null, 'quantity').nanos
}

function make(nanos: bigint): CelValue {
  return wrap({ tag: 'quantity', nanos })
}

function read([from]: readonly CelValue[]): CelValue {
  const nanos = parseQuantity(text(from))
  if (nanos === null) throw new Fault('the text is no quantity')
  return make(nanos)
}

function isInteger(nanos: bigint): boolean {
  return nanos % one === 0n && BigInt.asIntN(64, nanos / one) === nanos / one
}

function asInteger([value]: readonly CelValue[]): bigint {
  const nanos = quantityOf(value)
  if (!isInteger(nanos)) throw new Fault('the quantity is no whole number')
  return checkedInt(nanos / one)
}

function signOf(nanos: bigint): bigint {
  return nanos === 0n ? 0n : nanos > 0n ? 1n : -1n
}

export const quantities: readonly Overload[] = [
  overload('quantity', ['string'], 'quantity', read),
  overload('isQuantity', ['string'], 'bool', ([from]) => parseQuantity(text(from)) !== null),
  overload('.isInteger', ['quantity'], 'bool', ([value]) => isInteger(quantityOf(value))),
  overload('.asInteger', ['quantity'], 'int', asInteger),
  overload('.asApproximateFloat', ['quantity'], 'double', ([value]) => Number(quantityOf(value)) / Number(one)),
  overload('.sign', ['quantity'], 'int', ([value]) => signOf(quantityOf(value))),
  overload('.add', ['quantity', 'quantity'], 'quantity', ([a, b]) => make(quantityOf(a) + quantityOf(b))),
  overload('.add', ['quantity', 'int'], 'quantity', ([a, b]) => make(quantityOf(a) + int(b) * one)),
  overload('.sub', ['quantity', 'quantity'], 'quantity', ([a, b]) => make(quantityOf(a) - quantityOf(b))),
  overload('.sub', ['quantity', 'int'], 'quantity', ([a, b]) => make(quantityOf(a) - int(b) * one)),
  overload('.isGreaterThan', ['quantity', 'quantity'], 'bool', ([a, b]) => quantityOf(a) > quantityOf(b)),
  overload('.isLessThan', ['quantity', 'quantity'], 'bool', ([a, b]) => quantityOf(a) < quantityOf(b)),
  overload('.compareTo', ['quantity', 'quantity'], 'int', ([a, b]) => signOf(quantityOf(a) - quantityOf(b))),
]
