import {
  celList,
  celMap,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  type CelInput,
  type CelMap,
  type CelValue,
} from '@bufbuild/cel'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import { Fault } from './meter.ts'
import type { Tag } from './type.ts'

/** A value of a kind that CEL itself does not have: the engine passes it on as an empty map. */
export type Opaque =
  | { readonly tag: 'quantity'; readonly nanos: bigint; readonly scale: number | null }
  | { readonly tag: 'ip'; readonly family: 4 | 6; readonly bits: bigint }
  | { readonly tag: 'cidr'; readonly family: 4 | 6; readonly bits: bigint; readonly length: number }
  | { readonly tag: 'semver'; readonly text: string }

const opaques = new WeakMap<object, Opaque>()

export function wrap(opaque: Opaque): CelValue {
  const map = celMap(new Map())
  opaques.set(map, opaque)
  return map
}

/** null: a value of CEL's own. */
export function opaqueOf(value: CelValue): Opaque | null {
  return typeof value === 'object' && value !== null ? (opaques.get(value) ?? null) : null
}

/** Throws Fault when the value is of another kind. */
export function unwrap<T extends Opaque['tag']>(value: CelValue, tag: T): Extract<Opaque, { tag: T }> {
  const found = opaqueOf(value)
  if (found?.tag !== tag) throw new Fault(`a ${tag} is needed`)
  return found as Extract<Opaque, { tag: T }>
}

export function tagOf(value: CelValue): Tag {
  if (typeof value === 'object') return value === null ? 'null' : tagOfObject(value)
  return tagOfType[typeof value] ?? 'dyn'
}

const tagOfType: Readonly<Partial<Record<string, Tag>>> = {
  bigint: 'int',
  number: 'double',
  boolean: 'bool',
  string: 'string',
}

function tagOfObject(value: CelValue & object): Tag {
  const opaque = opaques.get(value)
  if (opaque !== undefined) return opaque.tag
  if (value instanceof Uint8Array) return 'bytes'
  if (isCelList(value)) return 'list'
  if (isCelMap(value)) return 'map'
  if (isCelUint(value)) return 'uint'
  if (isCelType(value)) return 'type'
  return isReflectMessage(value) ? tagOfMessage(value.desc.typeName) : 'dyn'
}

export function tagOfMessage(name: string): Tag {
  if (name === 'google.protobuf.Timestamp') return 'timestamp'
  return name === 'google.protobuf.Duration' ? 'duration' : 'dyn'
}

/**
 * JSON as CEL sees it: whole numbers of 64 bits are ints, and objects are maps that know their own keys only, so that a label
 * `constructor` is a label. What is not looked at is not converted. Whole numbers beyond 2⁵³ are as exact as JSON.parse
 * left them.
 */
export function celOf(json: unknown): CelInput {
  if (typeof json === 'number') return Number.isInteger(json) && Math.abs(json) < 2 ** 63 ? BigInt(json) : json
  if (typeof json === 'string' || typeof json === 'boolean') return json
  if (typeof json !== 'object' || json === null) return null
  return Array.isArray(json) ? celList(json.map(celOf)) : mapOf(json as Readonly<Record<string, unknown>>)
}

export function mapOf(object: Readonly<Record<string, unknown>>): CelMap {
  return celMap(new JsonMap(object))
}

/** The own fields of an object, converted when they are first asked for. */
class JsonMap implements ReadonlyMap<string, CelInput> {
  readonly #object: Readonly<Record<string, unknown>>
  readonly #converted = new Map<string, CelInput>()
  #keys: readonly string[] | null = null

  constructor(object: Readonly<Record<string, unknown>>) {
    this.#object = object
  }

  get size(): number {
    return this.#names().length
  }

  get(key: unknown): CelInput | undefined {
    if (typeof key !== 'string') return undefined
    const known = this.#converted.get(key)
    if (known !== undefined || !Object.hasOwn(this.#object, key)) return known
    const value = this.#object[key]
    if (value === undefined) return undefined
    const converted = celOf(value)
    this.#converted.set(key, converted)
    return converted
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object, key) && this.#object[key] !== undefined
  }

  *entries(): MapIterator<[string, CelInput]> {
    for (const key of this.#names()) yield [key, this.get(key) ?? null]
  }

  keys(): MapIterator<string> {
    return this.#names().values()
  }

  *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value
  }

  forEach(callback: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this)
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries()
  }

  #names(): readonly string[] {
    return (this.#keys ??= Object.keys(this.#object).filter((key) => this.#object[key] !== undefined))
  }
}
