import type { ExpressionProblem } from '../../core/cel/condition.ts'
import { compileCondition } from '../../core/cel/engine.ts'
import { grantScope, workloadScope, type Scope } from '../../core/cel/scope.ts'
import type { GrantCondition, PolicyCondition } from '../../core/policy/policy.ts'
import type { Problem } from '../../core/problem.ts'
import { parseDuration } from '../../core/time.ts'
import { isObject } from '../validate.ts'
import type { AccessPolicySpec } from './access-policy.schema.ts'

export interface ParsedConditions {
  readonly grants: readonly GrantCondition[]
  readonly workloads: readonly PolicyCondition[]
}

type WrittenConditions = NonNullable<NonNullable<AccessPolicySpec['workloads']>['conditions']>
type WrittenGrantCondition = NonNullable<NonNullable<AccessPolicySpec['grants']>['conditions']>[number]

/** Compiles the conditions of a policy. What is wrong with an expression is a problem with line and column. */
export function parseConditions({ grants, workloads }: AccessPolicySpec, problems: Problem[]): ParsedConditions {
  return {
    grants: grantConditionsOf(grants?.conditions ?? [], problems),
    workloads: compileAll(workloads?.conditions ?? [], workloadScope, 'spec.workloads.conditions', problems),
  }
}

function grantConditionsOf(written: readonly WrittenGrantCondition[], problems: Problem[]): readonly GrantCondition[] {
  const otherwise = new Map(written.map((each) => [each.name, otherwiseOf(each)]))
  return compileAll(written, grantScope, 'spec.grants.conditions', problems).map((condition) => ({
    ...condition,
    otherwise: otherwise.get(condition.name) ?? { kind: 'Deny' },
  }))
}

function otherwiseOf({ otherwise = 'Deny', constrain }: WrittenGrantCondition): GrantCondition['otherwise'] {
  if (otherwise !== 'Constrain') return { kind: otherwise }
  const { maxDuration, permissions = null } = constrain ?? {}
  return { kind: 'Constrain', maxDuration: maxDuration === undefined ? null : parseDuration(maxDuration), permissions }
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
    problems.push(...expressionProblems(`${path}[${index}].expression`, compiling.problems))
    return []
  })
}

/** What is wrong with an expression, as problems of the field that holds it. */
export function expressionProblems(path: string, found: readonly ExpressionProblem[]): readonly Problem[] {
  return found.map(({ line, column, message, remedy }) => ({
    path,
    message: `line ${line}, column ${column}: ${message}`,
    remedy,
  }))
}

/** Whether an AccessPolicy, or a grant, that nobody has parsed yet needs the engine for conditions: it has any. */
export function hasConditions(object: unknown): boolean {
  const spec = fieldOf(object, 'spec')
  if (fieldOf(fieldOf(spec, 'until'), 'expression') !== undefined) return true
  return [fieldOf(spec, 'grants'), fieldOf(spec, 'workloads')].some(
    (terms) => fieldOf(terms, 'conditions') !== undefined,
  )
}

function fieldOf(object: unknown, field: string): unknown {
  return isObject(object) ? object[field] : undefined
}
