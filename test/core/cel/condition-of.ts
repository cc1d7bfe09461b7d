import { compileCondition, loadConditionEngine } from '../../../src/core/cel/engine.ts'
import type { CompiledCondition } from '../../../src/core/cel/condition.ts'
import type { Scope } from '../../../src/core/cel/scope.ts'
import type { Type } from '../../../src/core/cel/type.ts'

await loadConditionEngine()

export const scope: Scope = new Map<string, Type>([
  ['object', 'dyn'],
  ['request', { fields: { name: 'string', operation: 'string' } }],
  ['now', 'timestamp'],
])

/** Throws when it does not compile. */
export function condition(text: string): CompiledCondition {
  const compiling = compileCondition(text, scope)
  if (!compiling.ok) throw new Error(problemsOf(text).join('\n'))
  return compiling.condition
}

/** `1:5 there is no variable x`; with the remedy behind an arrow, if there is one. */
export function problemsOf(text: string, names: Scope = scope): readonly string[] {
  const compiling = compileCondition(text, names)
  if (compiling.ok) return []
  return compiling.problems.map(
    ({ line, column, message, remedy }) => `${line}:${column} ${message}${remedy === '' ? '' : ` → ${remedy}`}`,
  )
}

/** true, false, or the error. */
export function verdictOf(text: string, object: unknown = {}): boolean | string {
  const now = new Date('2026-07-01T07:30:00.250Z')
  const judged = condition(text).evaluate({ object, now, request: { name: 'api', operation: 'CREATE' } })
  return judged.ok ? judged.value : judged.error
}
