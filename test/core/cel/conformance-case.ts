import { celList, celMap, celUint, isCelList, isCelMap, isCelType, isCelUint } from '@bufbuild/cel'
import type { CelInput, CelValue } from '@bufbuild/cel'
import type { Decl, Type as DeclaredType } from '@bufbuild/cel-spec/cel/expr/checked_pb.js'
import { Type_PrimitiveType, Type_WellKnownType } from '@bufbuild/cel-spec/cel/expr/checked_pb.js'
import type { SimpleTest } from '@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js'
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js'
import type { IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { isReflectMessage } from '@bufbuild/protobuf/reflect'
import {
  anyUnpack,
  DurationSchema,
  TimestampSchema,
  type Any,
  type Duration,
  type Timestamp,
} from '@bufbuild/protobuf/wkt'
import { compileProgram, evaluate } from '../../../src/core/cel/compile.ts'
import { meter } from '../../../src/core/cel/functions.ts'
import { expressionBudget } from '../../../src/core/cel/budget.ts'
import type { Type } from '../../../src/core/cel/type.ts'

export interface ConformanceCase {
  /** File, section and name, and a count where the suite has a name twice. */
  readonly name: string
  readonly test: SimpleTest
}

export function casesOf(suite: IncrementalTestSuite): readonly ConformanceCase[] {
  const seen = new Map<string, number>()
  return allCasesOf(suite, []).map(({ name, test }) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return { name: count === 1 ? name : `${name} #${count}`, test }
  })
}

function allCasesOf(suite: IncrementalTestSuite, path: readonly string[]): readonly ConformanceCase[] {
  return [
    ...suite.suites.flatMap((inner) => allCasesOf(inner, [...path, inner.name])),
    ...suite.tests.map(({ original }) => ({ name: [...path, original.name].join('/'), test: original })),
  ]
}

/** What is not as the test wants it; null: nothing. */
export function failureOf(test: SimpleTest): string | null {
  try {
    return compare(test)
  } catch (error) {
    return String(error)
  }
}

function compare(test: SimpleTest): string | null {
  const { resultMatcher: wanted } = test
  const wantsError = wanted.case === 'evalError' || wanted.case === 'anyEvalErrors'
  const compiling = compileProgram(test.expr, new Map(test.typeEnv.map(declarationOf)))
  if (!compiling.ok) return wantsError ? null : compiling.problems.map(({ message }) => message).join('; ')
  if (test.checkOnly) return null
  meter.start(expressionBudget)
  const result = evaluate(compiling.program, () => bindingsOf(test))
  if (result instanceof Error) return wantsError ? null : result.message
  if (wantsError) return `is ${canonical(result)}, and should be an error`
  const expected = expectedOf(wanted)
  return expected === canonical(result) ? null : `is ${canonical(result)}, and should be ${expected}`
}

function expectedOf(wanted: SimpleTest['resultMatcher']): string {
  if (wanted.case === undefined) return canonical(true)
  const value = wanted.case === 'typedResult' ? wanted.value.result : wanted.value
  if (value?.$typeName !== 'cel.expr.Value') throw new Error(`expects ${wanted.case}`)
  if (value.kind.case === 'typeValue') return `type ${value.kind.value}`
  if (value.kind.case === 'objectValue') return canonicalMessage(value.kind.value)
  return canonical(inputOf(value) as CelValue)
}

function bindingsOf({ bindings }: SimpleTest): Readonly<Record<string, CelInput>> {
  return Object.fromEntries(
    Object.entries(bindings).map(([name, { kind }]) => {
      if (kind.case !== 'value') throw new Error('a binding that is no value')
      return [name, inputOf(kind.value)]
    }),
  )
}

function inputOf(value: Value): CelInput {
  const { kind } = value
  if (kind.case === 'nullValue') return null
  if (kind.case === 'uint64Value') return celUint(kind.value)
  if (kind.case === 'listValue') return celList(kind.value.values.map(inputOf))
  if (kind.case === 'mapValue')
    return celMap(new Map(kind.value.entries.map((entry) => [inputOf(entry.key!) as string, inputOf(entry.value!)])))
  if (kind.case === 'objectValue') return messageOf(kind.value)
  if (kind.case === undefined || kind.case === 'enumValue' || kind.case === 'typeValue')
    throw new Error(`a value of kind ${kind.case}`)
  return kind.value
}

function messageOf(any: Any): Timestamp | Duration {
  const message = anyUnpack(any, TimestampSchema) ?? anyUnpack(any, DurationSchema)
  if (message === undefined) throw new Error(`a message ${any.typeUrl}`)
  return message
}

function canonicalMessage(any: Any): string {
  const { $typeName, seconds, nanos } = messageOf(any)
  return `${$typeName} ${seconds} ${nanos}`
}

/** A text that is the same for values that are the same, of the same type. */
function canonical(value: CelValue): string {
  if (isCelUint(value)) return `${value.value}u`
  if (value instanceof Uint8Array) return `bytes ${[...value].join(',')}`
  if (isCelType(value)) return `type ${value.name}`
  if (isCelList(value)) return `[${[...value].map(canonical).join(', ')}]`
  if (isCelMap(value))
    return `{${[...value]
      .map(([key, each]) => `${canonical(key)}: ${canonical(each)}`)
      .sort()
      .join(', ')}}`
  if (isReflectMessage(value)) {
    const { seconds, nanos } = value.message as unknown as { readonly seconds: bigint; readonly nanos: number }
    return `${value.desc.typeName} ${seconds} ${nanos}`
  }
  return `${typeof value} ${typeof value === 'string' ? JSON.stringify(value) : Object.is(value, -0) ? '-0' : String(value)}`
}

const primitives: Readonly<Partial<Record<Type_PrimitiveType, Type>>> = {
  [Type_PrimitiveType.BOOL]: 'bool',
  [Type_PrimitiveType.INT64]: 'int',
  [Type_PrimitiveType.UINT64]: 'uint',
  [Type_PrimitiveType.DOUBLE]: 'double',
  [Type_PrimitiveType.STRING]: 'string',
  [Type_PrimitiveType.BYTES]: 'bytes',
}

function declarationOf({ name, declKind }: Decl): readonly [string, Type] {
  return [name, declKind.case === 'ident' ? typeOf(declKind.value.type) : 'dyn']
}

function typeOf(type: DeclaredType | undefined): Type {
  const kind = type?.typeKind
  if (kind?.case === 'primitive') return primitives[kind.value] ?? 'dyn'
  if (kind?.case === 'listType') return 'list'
  if (kind?.case === 'mapType') return 'map'
  if (kind?.case === 'null') return 'null'
  if (kind?.case !== 'wellKnown') return 'dyn'
  if (kind.value === Type_WellKnownType.TIMESTAMP) return 'timestamp'
  return kind.value === Type_WellKnownType.DURATION ? 'duration' : 'dyn'
}
