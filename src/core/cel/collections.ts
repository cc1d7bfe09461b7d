import { celList, isCelList, isCelMap, isCelUint, type CelList, type CelMap, type CelValue } from '@bufbuild/cel'
import { equal } from './equal.ts'
import { Fault } from './meter.ts'
import { int, overload, text, type CallContext, type Overload } from './overload.ts'
import type { Tag } from './type.ts'
import { opaqueOf, tagOf } from './value.ts'

type Key = bigint | string | boolean | number

const nothingThere = 'there is no such field or key'

function asMap(value: CelValue | undefined): CelMap {
  if (value === undefined || !isCelMap(value) || opaqueOf(value) !== null) throw new Fault('only a map has fields')
  return value
}

export function asList(value: CelValue | undefined): CelList {
  if (value === undefined || !isCelList(value)) throw new Fault('a list is needed')
  return value
}

function keyOf(value: CelValue | undefined): Key {
  const plain = isCelUint(value) ? value.value : value
  if (typeof plain === 'object' || plain === undefined) throw new Fault('a value of this type is no key')
  return plain
}

/** A key whose value is null is there: the engine says that it is not. What is neither map nor list has no fields, as in Kubernetes. */
function hasField(value: CelValue | undefined, field: string): boolean {
  if (value !== undefined && isCelList(value)) throw new Fault('only a map has fields')
  return value !== undefined && isCelMap(value) && opaqueOf(value) === null && value.get(field) !== undefined
}

/** What can be no key is none. */
function hasKey(map: CelMap, key: CelValue | undefined): boolean {
  const plain = isCelUint(key) ? key.value : key
  return plain !== undefined && typeof plain !== 'object' && map.get(plain) !== undefined
}

function at(container: CelValue | undefined, index: CelValue | undefined): CelValue {
  if (container === undefined || !isCelList(container)) {
    const value = asMap(container).get(keyOf(index))
    if (value === undefined) throw new Fault(nothingThere)
    return value
  }
  const key = keyOf(index)
  if (typeof key === 'boolean' || typeof key === 'string') throw new Fault('the index of a list is a whole number')
  const value = Number.isInteger(Number(key)) ? container.get(Number(key)) : undefined
  if (value === undefined) throw new Fault('there is no such index')
  return value
}

/** Lists of ours that are still being made, by the list that the engine sees. */
const growing = new WeakMap<CelList, CelValue[]>()

function append(list: CelValue | undefined, value: CelValue): CelValue {
  const own = asList(list)
  const values = growing.get(own)
  if (values === undefined) throw new Fault('a list is needed')
  values.push(value)
  return own
}

function begin(): CelValue {
  const values: CelValue[] = []
  const list = celList(values)
  growing.set(list, values)
  return list
}

function range(value: CelValue | undefined, { meter }: CallContext): CelValue {
  const container = value !== undefined && isCelList(value) ? value : asMap(value)
  meter.charge(container.size)
  return container
}

function indexIn(values: readonly CelValue[], wanted: CelValue, { meter }: CallContext): bigint {
  return BigInt(values.findIndex((value) => equal(value, wanted, meter)))
}

const summable: readonly Tag[] = ['int', 'uint', 'double', 'duration']
const ordered: readonly Tag[] = [...summable, 'bool', 'string', 'bytes', 'timestamp']

/** Throws Fault when the first is of another type; the others are looked at when they are compared, or added. */
function elementsOf(list: CelValue | undefined, tags: readonly Tag[]): readonly CelValue[] {
  const [...values] = asList(list)
  if (values[0] !== undefined && !tags.includes(tagOf(values[0])))
    throw new Fault('a value is of a type that this does not take')
  return values
}

function best(operator: '_<_' | '_>_'): Overload['run'] {
  return ([list], { call }) => {
    const [first, ...rest] = elementsOf(list, ordered)
    if (first === undefined) throw new Fault('the list is empty')
    return rest.reduce<CelValue>((kept, value) => (call(operator, [value, kept]) === true ? value : kept), first)
  }
}

function isSorted([list]: readonly CelValue[], { call }: CallContext): boolean {
  const values = elementsOf(list, ordered)
  return values.every((value, index) => index === 0 || call('_<=_', [values[index - 1] ?? null, value]) === true)
}

function sum([list]: readonly CelValue[], { call }: CallContext): CelValue {
  const [first = 0n, ...rest] = elementsOf(list, summable)
  return rest.reduce<CelValue>((total, value) => call('_+_', [total, value]), first)
}

/** As Kubernetes compares them: whether an address, a version or a quantity is a value of another type is an error. */
function same(a: CelValue, b: CelValue, { meter }: CallContext): boolean {
  const [left, right] = [opaqueOf(a), opaqueOf(b)]
  if (left !== null && b !== null && left.tag !== right?.tag) throw new Fault(`a ${left.tag} is needed`)
  return equal(a, b, meter)
}

/** What the expression cannot name: fields and macros are made into calls of these. */
const hidden: readonly Overload[] = [
  overload('@has', ['dyn', 'string'], 'bool', ([value, field]) => hasField(value, text(field)), 'constant'),
  overload('@index', ['dyn', 'dyn'], 'dyn', ([container, index]) => at(container, index), 'constant'),
  overload('@range', ['dyn'], 'dyn', ([value], context) => range(value, context), 'constant'),
  overload('@begin', [], 'list', begin, 'constant'),
  overload('@append', ['list', 'dyn'], 'list', ([list, value = null]) => append(list, value), 'constant'),
  overload(
    '@tick',
    ['dyn', 'int'],
    'dyn',
    ([goOn = null, units], { meter }) => {
      meter.charge(Number(int(units)))
      return goOn
    },
    'constant',
  ),
]

export const collections: readonly Overload[] = [
  ...hidden,
  overload('_==_', ['dyn', 'dyn'], 'bool', ([a = null, b = null], context) => same(a, b, context), 'constant'),
  overload('_!=_', ['dyn', 'dyn'], 'bool', ([a = null, b = null], { meter }) => !equal(a, b, meter), 'constant'),
  overload('@in', ['dyn', 'list'], 'bool', ([value = null, list], context) =>
    [...asList(list)].some((each) => equal(each, value, context.meter)),
  ),
  overload('@in', ['dyn', 'map'], 'bool', ([key, map]) => hasKey(asMap(map), key), 'constant'),
  overload('_+_', ['list', 'list'], 'list', ([a, b]) => celList([...asList(a), ...asList(b)])),
  overload('.isSorted', ['list'], 'bool', isSorted),
  overload('.sum', ['list'], 'dyn', sum),
  overload('.min', ['list'], 'dyn', best('_<_')),
  overload('.max', ['list'], 'dyn', best('_>_')),
  overload('.indexOf', ['list', 'dyn'], 'int', ([list, wanted = null], context) =>
    indexIn([...asList(list)], wanted, context),
  ),
  overload('.lastIndexOf', ['list', 'dyn'], 'int', ([list, wanted = null], context) => {
    const values = [...asList(list)]
    const fromEnd = indexIn(values.toReversed(), wanted, context)
    return fromEnd < 0n ? -1n : BigInt(values.length - 1) - fromEnd
  }),
]
