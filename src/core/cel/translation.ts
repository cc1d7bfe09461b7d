import type { parse } from '@bufbuild/cel'
import type { Scope } from './scope.ts'
import type { Type } from './type.ts'

export type Expr = NonNullable<ReturnType<typeof parse>['expr']>
export type ExprKind = Expr['exprKind']
export type Call = Extract<ExprKind, { case: 'callExpr' }>['value']

export interface Translated {
  /** What the engine runs. */
  readonly expr: Expr
  readonly type: Type
  /** Nodes that are evaluated with it each time, without the bodies of its loops. */
  readonly cost: number
}

/** What the parts of a translation share. */
export interface Translation {
  readonly into: (expr: Expr, scope: Scope) => Translated
  readonly report: (expr: Expr, message: string, remedy?: string) => void
}

export function rebuilt(expr: Expr, exprKind: ExprKind): Expr {
  return { ...expr, exprKind }
}

export function callOf(expr: Expr, name: string, args: readonly Expr[]): Expr {
  return rebuilt(expr, {
    case: 'callExpr',
    value: { $typeName: 'cel.expr.Expr.Call', function: name, args: [...args] },
  })
}

/** The engine has functions of its own under the same names, which must not be found. */
export function engineNameOf(name: string): string {
  return `~${name}`
}

/** A call of a function of the table, its receiver first. */
export function invoke(expr: Expr, name: string, args: readonly Expr[]): Expr {
  return callOf(expr, engineNameOf(name), args)
}

export function constant(expr: Expr, value: string | bigint): Expr {
  return rebuilt(expr, {
    case: 'constExpr',
    value: {
      $typeName: 'cel.expr.Constant',
      constantKind: typeof value === 'string' ? { case: 'stringValue', value } : { case: 'int64Value', value },
    },
  })
}

export function textOf(expr: Expr): string | null {
  const { exprKind } = expr
  if (exprKind.case !== 'constExpr' || exprKind.value.constantKind.case !== 'stringValue') return null
  return exprKind.value.constantKind.value
}

/** `a.b.c` of identifiers only; null: something else. */
export function qualifiedName({ exprKind }: Expr): string | null {
  if (exprKind.case === 'identExpr') return exprKind.value.name
  if (exprKind.case !== 'selectExpr' || exprKind.value.testOnly || exprKind.value.operand === undefined) return null
  const parent = qualifiedName(exprKind.value.operand)
  return parent === null ? null : `${parent}.${exprKind.value.field}`
}

export function rootOf(name: string): string {
  return name.startsWith('.') ? '.' : (name.split('.', 1)[0] ?? '')
}
