import { isCelError, parse, plan, type CelInput, type CelValue } from '@bufbuild/cel'
import type { CompiledCondition, Compiling, ExpressionProblem, Judged } from './condition.ts'
import { environment, meter } from './functions.ts'
import { locate } from './location.ts'
import { expressionBudget } from './budget.ts'
import { tellable } from './meter.ts'
import { timestampOf } from './time-value.ts'
import { translate, type Translating } from './translate.ts'
import { optionalRemedy } from './translate-call.ts'
import type { Scope } from './scope.ts'
import { describeType, fits, type Type } from './type.ts'
import { celOf } from './value.ts'

/** Characters of an expression. */
export const maxLength = 4_096

/** An expression of any type, ready to be evaluated. */
export interface Program {
  readonly type: Type
  readonly uses: ReadonlySet<string>
  readonly offsetOf: (id: string) => number
  readonly cost: number
  readonly run: (variables: Readonly<Record<string, CelInput>>) => CelValue | Error
}

type Compilation =
  | { readonly ok: true; readonly program: Program }
  | { readonly ok: false; readonly problems: readonly ExpressionProblem[] }

/** Never throws. */
export function compileProgram(text: string, variables: Scope): Compilation {
  if (text.length > maxLength) return refuse(1, 1, `has ${text.length} characters, more than ${maxLength}`)
  try {
    const parsed = parse(text)
    const translating = translate(text, parsed, variables)
    if (translating.problems.length > 0) return { ok: false, problems: translating.problems }
    return { ok: true, program: programOf(translating, parsed.sourceInfo?.positions ?? {}) }
  } catch (error) {
    return refuseUnparsable(text, error)
  }
}

/** Compiles what must say yes or no. Never throws. */
export function compileCondition(text: string, variables: Scope): Compiling {
  const compilation = compileProgram(text, variables)
  if (!compilation.ok) return compilation
  const { program } = compilation
  if (!fits(program.type, 'bool')) return refuse(1, 1, `must be true or false, and is ${describeType(program.type)}`)
  return { ok: true, condition: conditionOf(text, program) }
}

function programOf({ translated, uses }: Translating, positions: Readonly<Record<string, number>>): Program {
  const run = plan(environment, translated.expr)
  return { type: translated.type, uses, offsetOf: (id) => positions[id] ?? 0, cost: translated.cost, run }
}

function conditionOf(text: string, program: Program): CompiledCondition {
  return {
    uses: program.uses,
    evaluate: (variables, budget = expressionBudget) => judge(text, program, variables, budget),
  }
}

function judge(text: string, program: Program, variables: Readonly<Record<string, unknown>>, budget: number): Judged {
  const limit = Math.min(budget, expressionBudget)
  meter.start(limit)
  const result = evaluate(program, () => inputsOf(variables, program.uses))
  const spent = Math.ceil(limit - meter.left)
  if (meter.isOver) return { ok: false, error: 'costs more than its budget', spent }
  if (typeof result === 'boolean') return { ok: true, value: result, spent }
  if (!(result instanceof Error)) return { ok: false, error: 'is neither true nor false', spent }
  return { ok: false, error: describeError(text, program, result), spent }
}

/** Never throws. The meter must have been started. */
export function evaluate(program: Program, variables: () => Readonly<Record<string, CelInput>>): CelValue | Error {
  try {
    meter.charge(program.cost)
    return program.run(variables())
  } catch (error) {
    return error instanceof Error ? error : new Error('cannot be evaluated')
  }
}

/** Of what is used. A Date is a timestamp; everything else is JSON. What is undefined is not there. */
function inputsOf(
  variables: Readonly<Record<string, unknown>>,
  uses: ReadonlySet<string>,
): Readonly<Record<string, CelInput>> {
  const inputs: Record<string, CelInput> = Object.create(null) as Record<string, CelInput>
  for (const name of uses) {
    const value = variables[name]
    if (value instanceof Date) inputs[name] = timestampOfDate(value)
    else if (value !== undefined) inputs[name] = celOf(value)
  }
  return inputs
}

function timestampOfDate(date: Date): CelValue {
  const millis = date.getTime()
  const seconds = Math.floor(millis / 1_000)
  return timestampOf(BigInt(seconds), (millis - seconds * 1_000) * 1_000_000)
}

function describeError(text: string, program: Program, error: Error): string {
  const what = tellable(error.message)
  const id = isCelError(error) ? error.exprId : undefined
  if (id === undefined) return what
  const { line, column } = locate(text, program.offsetOf(String(id)))
  return `line ${line}, column ${column}: ${what}`
}

function refuse(line: number, column: number, message: string, remedy = ''): Compilation & { readonly ok: false } {
  return { ok: false, problems: [{ line, column, message, remedy }] }
}

function refuseUnparsable(text: string, error: unknown): Compilation {
  if (error instanceof RangeError) return refuse(1, 1, 'is nested too deeply', 'write several conditions')
  const place = placeOf(error)
  if (place === null) return refuse(1, 1, error instanceof Error ? error.message : 'cannot be read')
  const { line, column, offset, message } = place
  const rest = text.slice(offset)
  if (rest.startsWith('.?') || rest.startsWith('[?') || rest.startsWith('?.'))
    return refuse(line, column, 'optional fields cannot be read', optionalRemedy)
  return refuse(line, column, message)
}

interface ParserError {
  readonly rawMessage: string
  readonly location: { readonly start: { readonly line: number; readonly column: number; readonly offset: number } }
}

/** null: no error of the parser's own. */
function placeOf(error: unknown): (ParserError['location']['start'] & { readonly message: string }) | null {
  if (!(error instanceof Error) || !('location' in error) || !('rawMessage' in error)) return null
  const { location, rawMessage } = error as Error & ParserError
  return { ...location.start, message: rawMessage.split('\n')[0] ?? '' }
}
