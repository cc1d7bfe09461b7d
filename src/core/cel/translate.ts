import type { parse } from '@bufbuild/cel'
import type { ExpressionProblem } from './condition.ts'
import { locate } from './location.ts'
import { fieldOf, optionalRemedy, translateCall } from './translate-call.ts'
import { translateLoop } from './translate-loop.ts'
import type { Scope } from './scope.ts'
import {
  invoke,
  constant,
  qualifiedName,
  rebuilt,
  rootOf,
  type Expr,
  type ExprKind,
  type Translated,
  type Translation,
} from './translation.ts'
import { describeType, fits, isRecord, type Type } from './type.ts'

/** Levels of an expression, those included that macros are made of. */
export const maxDepth = 100

/** Nodes of an expression, those included that macros are made of. */
export const maxNodes = 2_000

export interface Translating {
  readonly translated: Translated
  /** Variables that occur in it. */
  readonly uses: ReadonlySet<string>
  readonly problems: readonly ExpressionProblem[]
}

type Parsed = ReturnType<typeof parse>

/** Names of types, which are values too: `type(x) == string`. */
const typeNames: ReadonlySet<string> = new Set(
  'bool int uint double string bytes list map null_type type google.protobuf.Timestamp google.protobuf.Duration'.split(
    ' ',
  ),
)

/**
 * Checks what the parser has read, and makes of it what the engine may run: every name known, every function one of the
 * table, every loop charged.
 */
export function translate(text: string, parsed: Parsed, variables: Scope): Translating {
  const problems: ExpressionProblem[] = []
  const uses = new Set<string>()
  let depth = 0
  let nodes = 0
  const report: Translation['report'] = ({ id }, message, remedy = '') =>
    void problems.push({ ...locate(text, parsed.sourceInfo?.positions[String(id)] ?? 0), message, remedy })
  const into: Translation['into'] = (expr, scope) => {
    nodes += 1
    if (depth >= maxDepth || nodes > maxNodes) return tooLarge(expr, report, problems)
    depth += 1
    const translated = translateOne(expr, scope, { into, report })
    depth -= 1
    if (expr.exprKind.case === 'identExpr') {
      const { name } = expr.exprKind.value
      if (variables.has(name) && scope.get(name) === variables.get(name)) uses.add(name)
    }
    return translated
  }
  const root = parsed.expr ?? { $typeName: 'cel.expr.Expr', id: 0n, exprKind: { case: undefined } }
  return { translated: into(root, variables), uses, problems }
}

function tooLarge(expr: Expr, report: Translation['report'], problems: readonly ExpressionProblem[]): Translated {
  const message = `is too large: at most ${maxDepth} levels and ${maxNodes} parts`
  if (!problems.some((problem) => problem.message === message)) report(expr, message, 'write several conditions')
  return { expr, type: 'dyn', cost: 0 }
}

function translateOne(expr: Expr, scope: Scope, translation: Translation): Translated {
  const { exprKind } = expr
  switch (exprKind.case) {
    case 'constExpr':
      return { expr, type: typeOfConstant(expr, exprKind.value, translation), cost: 1 }
    case 'identExpr':
      return translateName(expr, exprKind.value.name, scope, translation)
    case 'selectExpr':
      return translateSelect(expr, exprKind.value, scope, translation)
    case 'callExpr':
      return translateCall(expr, exprKind.value, scope, translation)
    case 'listExpr': {
      const elements = exprKind.value.elements.map((element) => translation.into(element, scope))
      const value = { ...exprKind.value, elements: elements.map((element) => element.expr) }
      return { expr: rebuilt(expr, { case: 'listExpr', value }), type: 'list', cost: sumOf(elements) }
    }
    case 'structExpr':
      return translateMap(expr, exprKind.value, scope, translation)
    case 'comprehensionExpr':
      return translateLoop(expr, exprKind.value, scope, translation)
    case undefined:
      translation.report(expr, 'is empty')
      return { expr, type: 'dyn', cost: 1 }
  }
}

const limits = { int64Value: [-(2n ** 63n), 2n ** 63n - 1n], uint64Value: [0n, 2n ** 64n - 1n] } as const

function typeOfConstant(
  expr: Expr,
  { constantKind }: Extract<ExprKind, { case: 'constExpr' }>['value'],
  { report }: Translation,
): Type {
  switch (constantKind.case) {
    case 'int64Value':
    case 'uint64Value': {
      const [least, most] = limits[constantKind.case]
      if (constantKind.value < least || constantKind.value > most) report(expr, 'a number is out of range')
      return constantKind.case === 'int64Value' ? 'int' : 'uint'
    }
    case 'boolValue':
      return 'bool'
    case 'doubleValue':
      return 'double'
    case 'stringValue':
      return 'string'
    case 'bytesValue':
      return 'bytes'
    case 'nullValue':
      return 'null'
    case 'durationValue':
    case 'timestampValue':
    case undefined:
      return 'dyn'
  }
}

function translateName(expr: Expr, name: string, scope: Scope, { report }: Translation): Translated {
  const type = scope.get(name) ?? (typeNames.has(name) ? 'type' : undefined)
  if (type === undefined) {
    const known = [...scope.keys()].filter((each) => !each.startsWith('@'))
    const remedy = known.length === 0 ? '' : `known: ${known.join(', ')}`
    report(expr, `there is no variable ${name}`, name === 'optional' ? optionalRemedy : remedy)
  }
  return { expr, type: type ?? 'dyn', cost: 1 }
}

function translateSelect(
  expr: Expr,
  select: Extract<ExprKind, { case: 'selectExpr' }>['value'],
  scope: Scope,
  translation: Translation,
): Translated {
  const name = qualifiedName(expr)
  if (name !== null && !scope.has(rootOf(name)) && typeNames.has(name)) return { expr, type: 'type', cost: 1 }
  if (select.operand === undefined) return { expr, type: 'dyn', cost: 1 }
  const operand = translation.into(select.operand, scope)
  const type = typeOfField(operand.type, select.field, expr, translation)
  const cost = operand.cost + 1
  if (select.testOnly)
    return { expr: invoke(expr, '@has', [operand.expr, constant(expr, select.field)]), type: 'bool', cost }
  const value = { ...select, operand: operand.expr }
  return { expr: rebuilt(expr, { case: 'selectExpr', value }), type, cost }
}

function typeOfField(type: Type, field: string, expr: Expr, { report }: Translation): Type {
  if (isRecord(type)) return fieldOf(type.fields, field, expr, report)
  if (!fits(type, 'map')) report(expr, `a ${describeType(type)} has no field ${field}`)
  return 'dyn'
}

function translateMap(
  expr: Expr,
  struct: Extract<ExprKind, { case: 'structExpr' }>['value'],
  scope: Scope,
  translation: Translation,
): Translated {
  if (struct.messageName !== '') translation.report(expr, 'messages cannot be made here, only maps: {"key": value}')
  const parts: Translated[] = []
  const into = (part: Expr): Expr => {
    const translated = translation.into(part, scope)
    parts.push(translated)
    return translated.expr
  }
  const entries = struct.entries.map((entry) => ({
    ...entry,
    keyKind: entry.keyKind.case === 'mapKey' ? { ...entry.keyKind, value: into(entry.keyKind.value) } : entry.keyKind,
    ...(entry.value !== undefined && { value: into(entry.value) }),
  }))
  return { expr: rebuilt(expr, { case: 'structExpr', value: { ...struct, entries } }), type: 'map', cost: sumOf(parts) }
}

function sumOf(parts: readonly Translated[]): number {
  return 1 + parts.reduce((total, { cost }) => total + cost, 0)
}
