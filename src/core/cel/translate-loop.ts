import type { Scope } from './scope.ts'
import {
  callOf,
  invoke,
  constant,
  rebuilt,
  type Expr,
  type ExprKind,
  type Translated,
  type Translation,
} from './translation.ts'
import { fits, describeType, type Type } from './type.ts'

type Loop = Extract<ExprKind, { case: 'comprehensionExpr' }>['value']

const nothing: Translated = {
  expr: { $typeName: 'cel.expr.Expr', id: 0n, exprKind: { case: undefined } },
  type: 'dyn',
  cost: 0,
}

/**
 * A macro, as the parser spells it out. Every turn of the loop pays for its whole body before it runs, and a list that
 * grows is one list instead of a chain of them.
 */
export function translateLoop(expr: Expr, loop: Loop, scope: Scope, translation: Translation): Translated {
  const translate = (part: Expr | undefined, inner: Scope): Translated =>
    part === undefined ? nothing : translation.into(part, inner)
  const range = translate(loop.iterRange, scope)
  if (!fits(range.type, 'list') && !fits(range.type, 'map'))
    translation.report(range.expr, `a ${describeType(range.type)} has no elements: only lists and maps have`)
  const start = translate(loop.accuInit, scope)
  const inner = new Map([...scope, [loop.iterVar, elementOf(range.type)], [loop.accuVar, start.type]])
  const condition = translate(loop.loopCondition, inner)
  const step = translate(start.type === 'list' ? appending(loop.loopStep, loop.accuVar) : loop.loopStep, inner)
  const result = translate(loop.result, new Map([...scope, [loop.accuVar, start.type]]))
  const units = BigInt(condition.cost + step.cost)
  const spelledOut: Loop = {
    ...loop,
    iterRange: invoke(range.expr, '@range', [range.expr]),
    accuInit: start.type === 'list' ? invoke(start.expr, '@begin', []) : start.expr,
    loopCondition: invoke(condition.expr, '@tick', [condition.expr, constant(condition.expr, units)]),
    loopStep: step.expr,
    result: result.expr,
  }
  const cost = 1 + range.cost + start.cost + result.cost
  return { expr: rebuilt(expr, { case: 'comprehensionExpr', value: spelledOut }), type: result.type, cost }
}

/** The keys of a record are texts; of anything else nothing is known. */
function elementOf(type: Type): Type {
  return typeof type === 'object' ? 'string' : 'dyn'
}

/** `@result + [x]` as `@append(@result, x)`, also where it is a branch of a choice. */
function appending(step: Expr | undefined, accumulator: string): Expr | undefined {
  if (step?.exprKind.case !== 'callExpr') return step
  const { function: name, args } = step.exprKind.value
  const [first, second, third] = args
  if (name === '_?_:_' && first !== undefined && second !== undefined && third !== undefined)
    return callOf(step, name, [first, appending(second, accumulator) ?? second, third])
  const isOwn = first?.exprKind.case === 'identExpr' && first.exprKind.value.name === accumulator
  const added = second?.exprKind.case === 'listExpr' ? second.exprKind.value.elements[0] : undefined
  return name === '_+_' && isOwn && added !== undefined ? callOf(step, '@append', [first, added]) : step
}
