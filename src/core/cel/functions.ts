import {
  celEnv,
  celFunc,
  CelScalar,
  isCelError,
  isCelList,
  isCelMap,
  type CelFunc,
  type CelType,
  type CelValue,
} from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { asList, collections } from './collections.ts'
import { conversions } from './conversions.ts'
import { Fault, Meter } from './meter.ts'
import { networks } from './networks.ts'
import { text, type CallContext, type Overload } from './overload.ts'
import { quantities } from './quantity.ts'
import { regexes } from './regex.ts'
import { texts } from './texts.ts'
import { times } from './times.ts'
import { engineNameOf } from './translation.ts'
import { fits, type Tag } from './type.ts'
import { opaqueOf, tagOf, tagOfMessage } from './value.ts'
import { versions } from './versions.ts'

/** Of the evaluation that is under way. */
export const meter = new Meter()

const own: readonly Overload[] = [
  ...conversions,
  ...collections,
  ...regexes,
  ...texts,
  ...times,
  ...quantities,
  ...networks,
  ...versions,
]

/** Of the engine's, those that look at no more than they need. */
const constant: ReadonlySet<string> = new Set(['size', '.size', 'dyn', 'type'])

/** Every function by its name, those of the engine included where none of ours takes the same arguments. */
const table: ReadonlyMap<string, readonly Overload[]> = tableOf([
  ...[...celEnv().funcs, ...strings].map(lifted).filter(isOffered),
  ...own,
])

export function overloadsOf(name: string): readonly Overload[] {
  return table.get(name) ?? []
}

function tableOf(overloads: readonly Overload[]): ReadonlyMap<string, readonly Overload[]> {
  const last = new Map(overloads.map((each) => [`${each.name}(${each.takes.join(',')})`, each]))
  return Map.groupBy(last.values(), ({ name }) => name)
}

/** The engine makes durations of numbers, which Kubernetes does not, and takes a key whose value is null for absent. */
function isOffered({ name, takes }: Overload): boolean {
  return name !== '@in' && (name !== 'duration' || takes[0] !== 'int')
}

function lifted(func: CelFunc): Overload {
  const { target } = func
  const takes = [...(target === undefined ? [] : [target]), ...func.arguments].map(tagOfType)
  const name = target === undefined ? func.name : `.${func.name}`
  return {
    name,
    takes,
    gives: tagOfType(func.result),
    price: constant.has(name) && takes[0] !== 'string' ? 'constant' : 'read',
    run: (args) => runEngine(func, args),
  }
}

const orderings: ReadonlySet<string> = new Set(['_<_', '_<=_', '_>_', '_>=_'])

function runEngine(func: CelFunc, args: readonly CelValue[]): CelValue {
  if (orderings.has(func.name) && args.some(Number.isNaN)) throw new Fault('what is not a number has no order')
  if (args.some((arg) => opaqueOf(arg) !== null)) throw new Fault('a value is of a type that this does not take')
  const [first, ...rest] = args
  const result = func.target === undefined ? func.call(0, undefined, [...args]) : func.call(0, first, rest)
  if (result === undefined) throw new Fault('a value is of a type that this does not take')
  if (isCelError(result)) throw result
  return result
}

function tagOfType(type: CelType): Tag {
  if (type.kind === 'list' || type.kind === 'map') return type.kind
  if (type.kind === 'object') return tagOfMessage(type.name)
  return type.name === 'null_type' ? 'null' : type.name
}

const context: CallContext = { meter, call }

/** Throws Fault, or what the engine throws. */
function call(name: string, args: readonly CelValue[]): CelValue {
  const tags = args.map(tagOf)
  const found = table
    .get(name)
    ?.find(
      ({ takes }) => takes.length === args.length && takes.every((taken, index) => fits(tags[index] ?? 'dyn', taken)),
    )
  if (found === undefined) throw new Fault('a value is of a type that this does not take')
  if (found.price === 'constant') return found.run(args, context)
  for (const arg of args) meter.charge(sizeOf(arg))
  meter.charge(sizeAhead(name, args))
  const result = found.run(args, context)
  meter.charge(sizeOf(result))
  return result
}

function sizeOf(value: CelValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length / 10
  return isCelList(value) ? value.size : 0
}

/** What a call makes that is much larger than what it is given, or looks at beyond the first level: charged before it runs. */
function sizeAhead(name: string, args: readonly CelValue[]): number {
  switch (name) {
    case '.join':
      return deepSize(args[0] ?? null) + (asList(args[0]).size * text(args[1] ?? '').length) / 10
    case '.format':
      return deepSize(args[1] ?? null)
    case '.replace':
      return (text(args[0]).split(text(args[1])).length * text(args[2]).length) / 10
    default:
      return 0
  }
}

/** Charges as it goes: a list may hold the same list many times over. */
function deepSize(value: CelValue): number {
  meter.charge(1)
  if (isCelList(value)) for (const each of value) meter.charge(deepSize(each))
  else if (isCelMap(value)) for (const [key, each] of value) meter.charge(sizeOf(key) + deepSize(each))
  return sizeOf(value)
}

/** Every function as the engine calls it: by its name here, and with the receiver as the first argument. */
const engineFunctions: CelFunc[] = [...table].flatMap(([name, overloads]) =>
  [...new Set(overloads.map(({ takes }) => takes.length))].map((count) =>
    celFunc(
      engineNameOf(name),
      Array<typeof CelScalar.DYN>(count).fill(CelScalar.DYN),
      CelScalar.DYN,
      (...args: CelValue[]) => call(name, args),
    ),
  ),
)

export const environment = celEnv({ funcs: engineFunctions })
