import { plan } from '@bufbuild/cel'
import { expressionBudget } from './budget.ts'
import { environment, meter } from './functions.ts'
import { tellable } from './meter.ts'
import { engineNameOf, type Expr } from './translation.ts'

const conversions: ReadonlySet<string> = new Set(
  ['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint'].map(engineNameOf),
)

/**
 * Why a conversion of what is written down, as in `duration('1 hour')`, can never be done; null: it can, or what it
 * converts is known only when the expression is evaluated. Takes what the engine runs.
 */
export function conversionProblem(expr: Expr): string | null {
  if (expr.exprKind.case !== 'callExpr' || !isConstant(expr)) return null
  meter.start(expressionBudget)
  const result = plan(environment, expr)({})
  return result instanceof Error ? tellable(result.message) : null
}

/** Written down, or converted from what is. */
function isConstant({ exprKind }: Expr): boolean {
  if (exprKind.case === 'constExpr') return true
  if (exprKind.case !== 'callExpr') return false
  const { function: name, args } = exprKind.value
  return conversions.has(name) && args.length === 1 && args.every(isConstant)
}
