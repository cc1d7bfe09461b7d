import * as fc from 'fast-check'
import { compileCondition, loadConditionEngine } from '../../src/core/cel/engine.ts'
import type { Scope } from '../../src/core/cel/scope.ts'
import type { Type } from '../../src/core/cel/type.ts'
import { expressions, moments, objects } from './cel-arbitraries.ts'
import { comparison } from './oracle-comparison.ts'

await loadConditionEngine()

const scope: Scope = new Map<string, Type>([
  ['object', 'dyn'],
  ['now', 'timestamp'],
])

/** `refused`: it does not compile; `error`: it has no value for this object. */
type Verdict = 'true' | 'false' | 'error' | 'refused'

/** One value for each object; null: there is none. */
interface WireAnswer {
  readonly compiles: boolean
  readonly values?: readonly (boolean | null)[]
}

function verdictOf(value: boolean | null): Verdict {
  return value === null ? 'error' : value ? 'true' : 'false'
}

/** Expressions that must be a bool, compiled and evaluated in the environment of the API server's admission policies. */
export const conditions = comparison({
  name: 'cel',
  unit: 'expressions over 2 objects each',
  topic: 'cel',
  cases: fc.record({ expression: expressions, objects: fc.tuple(objects, objects), now: moments }),
  input: (one) => one,
  ours: ({ expression, objects: judgedObjects, now }): readonly Verdict[] => {
    const compiling = compileCondition(expression, scope)
    if (!compiling.ok) return judgedObjects.map(() => 'refused')
    return judgedObjects.map((object) => {
      const judged = compiling.condition.evaluate({ object, now: new Date(now) })
      return judged.ok ? verdictOf(judged.value) : 'error'
    })
  },
  theirs: (output, { objects: judgedObjects }): readonly Verdict[] => {
    const { compiles, values } = output as WireAnswer
    return compiles ? (values ?? []).map(verdictOf) : judgedObjects.map(() => 'refused')
  },
  verdicts: (verdicts) => verdicts,
})
