import { isCelList, isCelMap, isCelType, isCelUint, type CelList, type CelMap, type CelValue } from '@bufbuild/cel'
import type { Meter } from './meter.ts'
import { isTime, nanosOf } from './time-value.ts'
import { opaqueOf } from './value.ts'
import { compareVersions } from './version-order.ts'

/** CEL's `==`, charged for every value that it looks at: a list may hold the same list many times over. */
export function equal(left: CelValue, right: CelValue, meter: Meter): boolean {
  meter.charge(1)
  const a = plain(left)
  const b = plain(right)
  if (typeof a === 'string' && typeof b === 'string') return equalTexts(a, b, meter)
  if (isNumber(a) && isNumber(b)) return typeof a === typeof b ? a === b : Number(a) === Number(b) // as Kubernetes does
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  const opaque = opaqueOf(a)
  if (opaque !== null || opaqueOf(b) !== null) return equalOpaques(opaque, opaqueOf(b))
  return equalObjects(a, b, meter)
}

function equalObjects(a: CelValue & object, b: CelValue & object, meter: Meter): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b, meter)
  if (isCelList(a)) return isCelList(b) && equalLists(a, b, meter)
  if (isCelMap(a)) return isCelMap(b) && equalMaps(a, b, meter)
  if (isCelType(a)) return isCelType(b) && a.kind === b.kind && a.name === b.name
  return isTime(a) && isTime(b) && a.desc.typeName === b.desc.typeName && nanosOf(a) === nanosOf(b)
}

function plain(value: CelValue): CelValue {
  return isCelUint(value) ? value.value : value
}

function isNumber(value: CelValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function equalTexts(a: string, b: string, meter: Meter): boolean {
  if (a.length !== b.length) return false
  meter.charge(a.length / 10)
  return a === b
}

function equalOpaques(a: ReturnType<typeof opaqueOf>, b: ReturnType<typeof opaqueOf>): boolean {
  if (a === null || b === null || a.tag !== b.tag) return false
  if (a.tag === 'semver' && b.tag === 'semver') return compareVersions(a.text, b.text) === 0
  if (a.tag === 'quantity' && b.tag === 'quantity') return a.nanos === b.nanos
  const right: Readonly<Record<string, unknown>> = { ...b }
  return Object.entries(a).every(([key, value]) => right[key] === value)
}

function equalBytes(a: Uint8Array, b: Uint8Array, meter: Meter): boolean {
  meter.charge(a.length / 10)
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

function equalLists(a: CelList, b: CelList, meter: Meter): boolean {
  if (a.size !== b.size) return false
  const others = b.values()
  for (const value of a) {
    const other = others.next()
    if (other.done === true || !equal(value, other.value, meter)) return false
  }
  return true
}

function equalMaps(a: CelMap, b: CelMap, meter: Meter): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) {
    const other = b.get(key)
    if (other === undefined || !equal(value, other, meter)) return false
  }
  return true
}
