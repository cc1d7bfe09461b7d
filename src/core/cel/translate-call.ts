import { conversionProblem } from './constant-conversion.ts'
import { overloadsOf } from './functions.ts'
import type { Overload } from './overload.ts'
import { patternProblem } from './regex.ts'
import type { Scope } from './scope.ts'
import {
  callOf,
  invoke,
  qualifiedName,
  rootOf,
  textOf,
  type Call,
  type Expr,
  type Translated,
  type Translation,
} from './translation.ts'
import { describeType, fits, isRecord, joined, type Tag, type Type } from './type.ts'

/** A call as it is written. */
interface Site {
  readonly expr: Expr
  readonly name: string
  readonly args: readonly Translated[]
}

export function translateCall(expr: Expr, call: Call, scope: Scope, translation: Translation): Translated {
  const name = nameOf(call, scope)
  if (isUnknownMacro(name)) return refuseMacro(expr, name, call.args.length, translation)
  const isMethod = name.startsWith('.')
  const written = isMethod && call.target !== undefined ? [call.target, ...call.args] : call.args
  const site: Site = { expr, name, args: written.map((arg) => translation.into(arg, scope)) }
  switch (name) {
    case '_&&_':
    case '_||_':
    case '@not_strictly_false':
      return kept(
        site,
        site.args.map(() => 'bool'),
        'bool',
        translation,
      )
    case '_?_:_':
      return kept(
        site,
        ['bool', 'dyn', 'dyn'],
        joined(site.args[1]?.type ?? 'dyn', site.args[2]?.type ?? 'dyn'),
        translation,
      )
    case '_[_]':
      return translateIndex(site, translation)
    default:
      return translateFunction(site, translation)
  }
}

/** Methods are known with a dot before their name, and `strings.quote` by both parts of it. */
function nameOf({ target, function: name }: Call, scope: Scope): string {
  if (target === undefined) return name
  const qualifier = qualifiedName(target)
  const isFunction =
    qualifier !== null && !scope.has(rootOf(qualifier)) && overloadsOf(`${qualifier}.${name}`).length > 0
  return isFunction ? `${qualifier}.${name}` : `.${name}`
}

/** What the engine itself evaluates, with arguments that are not always evaluated. */
function kept({ expr, name, args }: Site, wanted: readonly Tag[], type: Type, { report }: Translation): Translated {
  for (const [index, arg] of args.entries())
    if (!fits(arg.type, wanted[index] ?? 'dyn'))
      report(arg.expr, `must be ${wanted[index]}, and is ${describeType(arg.type)}`)
  return {
    expr: callOf(
      expr,
      name,
      args.map((arg) => arg.expr),
    ),
    type,
    cost: costOf(args),
  }
}

const indexTypes: readonly Tag[] = ['int', 'uint', 'double']

function translateIndex({ expr, args }: Site, { report }: Translation): Translated {
  const [container, index] = args
  if (container === undefined || index === undefined) return { expr, type: 'dyn', cost: 1 }
  let type: Type = 'dyn'
  if (isRecord(container.type)) type = fieldOf(container.type.fields, textOf(index.expr), index.expr, report)
  else if (!fits(container.type, 'list') && !fits(container.type, 'map'))
    report(expr, `a ${describeType(container.type)} has no elements: only lists and maps have`)
  else if (container.type === 'list' && !indexTypes.some((tag) => fits(index.type, tag)))
    report(index.expr, `the index of a list is a whole number, not ${describeType(index.type)}`)
  return { expr: invoke(expr, '@index', [container.expr, index.expr]), type, cost: costOf(args) }
}

/** The type of a field of a record; null: its name is not known before the expression is evaluated. */
export function fieldOf(
  fields: Readonly<Record<string, Type>>,
  name: string | null,
  expr: Expr,
  report: Translation['report'],
): Type {
  if (name === null) return 'dyn'
  const type = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (type === undefined) report(expr, `there is no field ${name} here`, `known: ${Object.keys(fields).join(', ')}`)
  return type ?? 'dyn'
}

function translateFunction(site: Site, translation: Translation): Translated {
  const { args } = site
  const name = withWrittenPattern(site, translation)
  const type = resultOf(site, overloadsOf(site.name), translation)
  const expr = invoke(
    site.expr,
    name,
    args.map((arg) => arg.expr),
  )
  const problem = type === 'dyn' ? null : conversionProblem(expr)
  if (problem !== null) translation.report(expr, `${describeName(name)}: ${problem}`)
  return { expr, type, cost: costOf(args) }
}

const regexMethods: ReadonlySet<string> = new Set(['.matches', '.find', '.findAll'])

/** A pattern that is written down is looked at now. */
function withWrittenPattern({ name, args }: Site, { report }: Translation): string {
  const pattern = args[1]
  const written = regexMethods.has(name) && pattern !== undefined ? textOf(pattern.expr) : null
  if (written === null || pattern === undefined) return name
  const problem = patternProblem(written)
  if (problem !== null) report(pattern.expr, problem, 'RE2 has no lookahead, no lookbehind and no back-references')
  return `@${name.slice(1)}`
}

function resultOf({ expr, name, args }: Site, overloads: readonly Overload[], { report }: Translation): Type {
  const takers = overloads.filter(({ takes }) => takes.length === args.length)
  const fitting = takers.filter(
    ({ takes }) => takes.every((taken, index) => fits(args[index]?.type ?? 'dyn', taken)) && comparable(name, args),
  )
  const [first, ...rest] = fitting.map(({ gives }): Type => gives)
  if (first !== undefined) return rest.reduce(joined, first)
  if (overloads.length === 0) report(expr, `there is no ${describeName(name)}`, remedyFor(name, args.length))
  else if (takers.length === 0)
    report(expr, `${describeName(name)} does not take ${describeCount(name, args.length)}`, '')
  else report(expr, `${describeName(name)} does not take (${args.map(({ type }) => describeType(type)).join(', ')})`)
  return 'dyn'
}

/** Types of the keys of maps. */
const keys: readonly Type[] = ['dyn', 'string', 'int', 'uint', 'double', 'bool']

/** Types of which a value may be null. */
const nullable: readonly Type[] = ['dyn', 'null', 'timestamp', 'duration', 'quantity', 'ip', 'cidr', 'semver']

/** Things of two kinds are never equal, and numbers of two kinds only by accident: who compares them has made a mistake. */
function comparable(name: string, [a, b]: readonly Translated[]): boolean {
  if (a === undefined || b === undefined) return true
  const [left = 'dyn', right = 'dyn'] = [a, b].map(({ type }) => (isRecord(type) ? 'map' : type))
  if (name === '@in') return right !== 'map' || keys.includes(left)
  if (name !== '_==_' && name !== '_!=_') return true
  if (left === right || left === 'dyn' || right === 'dyn') return true
  return (left === 'null' && nullable.includes(right)) || (right === 'null' && nullable.includes(left))
}

function describeName(name: string): string {
  if (name.startsWith('.')) return `method ${name.slice(1)}`
  const operator = /^[_!-]*([^_a-zA-Z@]+)_*$/.exec(name)?.[1]
  if (operator !== undefined) return `operator ${operator}`
  return name === '@in' ? 'operator in' : `function ${name}`
}

function describeCount(name: string, count: number): string {
  const given = name.startsWith('.') ? count - 1 : count
  return `${given} argument${given === 1 ? '' : 's'}`
}

const macros: ReadonlySet<string> = new Set(['.all', '.exists', '.exists_one', '.existsOne', '.map', '.filter'])
const twoVariableMacros: ReadonlySet<string> = new Set([
  ...macros,
  '.transformList',
  '.transformMap',
  '.transformMapEntry',
])
const optionals: ReadonlySet<string> = new Set(['.orValue', '.or', '.optMap', '.optFlatMap', '.hasValue', '.value'])

export const optionalRemedy = 'there are no optionals here: write has(a.b) ? a.b : c'

/** Its arguments hold names that would be variables if it were known: nothing is to be said about those. */
function isUnknownMacro(name: string): boolean {
  return twoVariableMacros.has(name) || (optionals.has(name) && overloadsOf(name).length === 0)
}

function refuseMacro(expr: Expr, name: string, count: number, { report }: Translation): Translated {
  report(
    expr,
    `there is no ${describeName(name)} with ${count} argument${count === 1 ? '' : 's'}`,
    remedyFor(name, count),
  )
  return { expr, type: 'dyn', cost: 1 }
}

function remedyFor(name: string, count: number): string {
  if (optionals.has(name) || name.startsWith('.of')) return optionalRemedy
  if (name === 'has') return 'has() takes one field: has(a.b)'
  if (twoVariableMacros.has(name))
    return count >= 3 || !macros.has(name)
      ? 'loops have one variable: the key of a map, or the element of a list'
      : `write it with a variable: list${name}(x, …)`
  if (overloadsOf(`.${name}`).length > 0) return `it is a method: value.${name}(…)`
  if (name.startsWith('.') && overloadsOf(name.slice(1)).length > 0) return `it is a function: ${name.slice(1)}(value)`
  return ''
}

function costOf(args: readonly Translated[]): number {
  return 1 + args.reduce((total, { cost }) => total + cost, 0)
}
