import type { CelValue } from '@bufbuild/cel'
import { Fault } from './meter.ts'
import { int, overload, text, type Overload } from './overload.ts'
import { unwrap, wrap, type Opaque } from './value.ts'

const one = 1_000_000_000n

const form = /^([+-]?)(\d{1,40})?(?:\.(\d{0,40}))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d{1,3})?$/

const decimalPowers: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaryPowers: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }

/** Kubernetes' resource.Quantity in billionths, rounded away from zero beyond them as Kubernetes does; null: it is none. Digits that are missing are a 0, as there. */
export function parseQuantity(from: string): bigint | null {
  const found = form.exec(from)
  if (found === null || from === '') return null
  const [, sign, whole = '', fraction = '', suffix = ''] = found
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

type Quantity = Extract<Opaque, { tag: 'quantity' }>

/**
 * The power of ten that Kubernetes keeps a quantity as a whole number of; null: it keeps it as a decimal. It takes only
 * what is kept as a number of ones, or tens and so on, for whole, so that 1000m and 1.5Ki are not.
 */
function scaleOf(from: string): number | null {
  const [, , whole = '', fraction = '', suffix = ''] = form.exec(from) ?? []
  const digits = (whole.replace(/^0+/, '') || '0').length
  const binary = binaryPowers[suffix]
  if (binary !== undefined) {
    const isShort = 15 - digits - Math.trunc((Number(binary) * 3) / 10) - 1 >= 0
    return isShort && fraction === '' && isInt64(BigInt(whole || '0') << binary) ? 0 : null
  }
  const scale = powerOf(suffix) - fraction.length
  return digits + fraction.length <= 18 && scale >= -9 ? scale : null
}

function scaleOfSum(a: Quantity, b: Quantity): number | null {
  if (a.scale === null || b.scale === null) return null
  if (b.nanos === 0n) return a.scale
  if (a.nanos === 0n) return b.scale
  const scale = Math.min(a.scale, b.scale)
  const inUnits = [a.nanos, b.nanos, a.nanos + b.nanos].map((nanos) => (nanos * 10n ** 9n) / 10n ** BigInt(scale + 18))
  return inUnits.every(isInt64) ? scale : null
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value
}

function quantityOf(value: CelValue | undefined): Quantity {
  return unwrap(value ?? null, 'quantity')
}

function nanosOf(value: CelValue | undefined): bigint {
  return quantityOf(value).nanos
}

function read([from]: readonly CelValue[]): CelValue {
  const nanos = parseQuantity(text(from))
  if (nanos === null) throw new Fault('the text is no quantity')
  return wrap({ tag: 'quantity', nanos, scale: text(from) === '0' ? 0 : scaleOf(text(from)) })
}

function quantityOfInt(value: CelValue | undefined): Quantity {
  return { tag: 'quantity', nanos: int(value) * one, scale: 0 }
}

function sum(a: Quantity, b: Quantity): CelValue {
  return wrap({ tag: 'quantity', nanos: a.nanos + b.nanos, scale: scaleOfSum(a, b) })
}

function negated(quantity: Quantity): Quantity {
  return { ...quantity, nanos: -quantity.nanos }
}

function isInteger({ nanos, scale }: Quantity): boolean {
  return scale !== null && scale >= 0 && isInt64(nanos / one)
}

function asInteger([value]: readonly CelValue[]): bigint {
  const quantity = quantityOf(value)
  if (!isInteger(quantity)) throw new Fault('the quantity is no whole number')
  return quantity.nanos / one
}

/** What it is kept as, times the power of ten: not always the number that is nearest to it. */
function approximate({ nanos, scale }: Quantity): number {
  const power = scale ?? -9
  return Number((nanos * one) / 10n ** BigInt(power + 18)) * Number(`1e${power}`)
}

function signOf(nanos: bigint): bigint {
  return nanos === 0n ? 0n : nanos > 0n ? 1n : -1n
}

function compare([a, b]: readonly CelValue[]): bigint {
  return signOf(nanosOf(a) - nanosOf(b))
}

export const quantities: readonly Overload[] = [
  overload('quantity', ['string'], 'quantity', read),
  overload('isQuantity', ['string'], 'bool', ([from]) => parseQuantity(text(from)) !== null),
  overload('.isInteger', ['quantity'], 'bool', ([value]) => isInteger(quantityOf(value))),
  overload('.asInteger', ['quantity'], 'int', asInteger),
  overload('.asApproximateFloat', ['quantity'], 'double', ([value]) => approximate(quantityOf(value))),
  overload('sign', ['quantity'], 'int', ([value]) => signOf(nanosOf(value))),
  overload('.sign', ['quantity'], 'int', ([value]) => signOf(nanosOf(value))),
  overload('.add', ['quantity', 'quantity'], 'quantity', ([a, b]) => sum(quantityOf(a), quantityOf(b))),
  overload('.add', ['quantity', 'int'], 'quantity', ([a, b]) => sum(quantityOf(a), quantityOfInt(b))),
  overload('.sub', ['quantity', 'quantity'], 'quantity', ([a, b]) => sum(quantityOf(a), negated(quantityOf(b)))),
  overload('.sub', ['quantity', 'int'], 'quantity', ([a, b]) => sum(quantityOf(a), negated(quantityOfInt(b)))),
  overload('.isGreaterThan', ['quantity', 'quantity'], 'bool', (both) => compare(both) > 0n),
  overload('.isLessThan', ['quantity', 'quantity'], 'bool', (both) => compare(both) < 0n),
  overload('.compareTo', ['quantity', 'quantity'], 'int', compare),
]
