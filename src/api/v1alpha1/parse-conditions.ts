import { compileCondition } from '../../core/cel/engine.ts'
import { grantScope, workloadScope, type Scope } from '../../core/cel/scope.ts'
import type { PolicyCondition } from '../../core/policy/policy.ts'
import type { Problem } from '../../core/problem.ts'
import { isObject } from '../validate.ts'
import type { AccessPolicySpec } from './access-policy.schema.ts'

export interface ParsedConditions {
  readonly grants: readonly PolicyCondition[]
  readonly workloads: readonly PolicyCondition[]
}

type WrittenConditions = NonNullable<NonNullable<AccessPolicySpec['workloads']>['conditions']>

/** Compiles the conditions of a policy. What is wrong with an expression is a problem with line and column. */
export function parseConditions({ grants, workloads }: AccessPolicySpec, problems: Problem[]): ParsedConditions {
  return {
    grants: compileAll(grants?.conditions ?? [], grantScope, 'spec.grants.conditions', problems),
    workloads: compileAll(workloads?.conditions ?? [], workloadScope, 'spec.workloads.conditions', problems),
  }
}

function compileAll(
  written: WrittenConditions,
  scope: Scope,
  path: string,
  problems: Problem[],
): readonly PolicyCondition[] {
  return written.flatMap(({ name, expression, message = null }, index) => {
    const compiling = compileCondition(expression, scope)
    if (compiling.ok) return [{ name, condition: compiling.condition, message }]
    for (const problem of compiling.problems)
      problems.push({
        path: `${path}[${index}].expression`,
        message: `line ${problem.line}, column ${problem.column}: ${problem.message}`,
        remedy: problem.remedy,
      })
    return []
  })
}

/** Whether an AccessPolicy that nobody has parsed yet needs the engine for conditions: it has any. */
export function hasConditions(object: unknown): boolean {
  const spec = fieldOf(object, 'spec')
  return [fieldOf(spec, 'grants'), fieldOf(spec, 'workloads')].some(
    (terms) => fieldOf(terms, 'conditions') !== undefined,
  )
}

function fieldOf(object: unknown, field: string): unknown {
  return isObject(object) ? object[field] : undefined
}
