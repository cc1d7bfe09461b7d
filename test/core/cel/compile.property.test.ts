import { expect } from 'chai'
import {
  assert,
  constant,
  constantFrom,
  integer,
  boolean,
  letrec,
  object as anyObject,
  oneof,
  property,
  string,
  tuple,
  type Arbitrary,
} from 'fast-check'
import { compileCondition } from '../../../src/core/cel/engine.ts'
import { scope } from './condition-of.ts'

const atoms =
  'object object.a object.a.b object["a"] request.name now x true null 0 -1 1.5 2u "" "a" b"a" [] [1,"a",null] {} {"a":1} @'
const operators = '== != < <= > >= && || + - * / % in'
const functions = '! - size quantity ip cidr semver int uint double string bytes type timestamp duration dyn has'
const methods =
  'all exists exists_one map filter matches find findAll split join format replace contains getHours sum min max indexOf isSorted size trim'

const oneOf = (list: string): Arbitrary<string> => constantFrom(...list.split(' '))
const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
const nothing: ReadonlySet<string> = new Set(['sum', 'min', 'max', 'isSorted', 'size', 'trim'])

function called(value: string, method: string, argument: string): string {
  if (loops.has(method)) return `${value}.${method}(x, ${argument})`
  return `${value}.${method}(${nothing.has(method) ? '' : argument})`
}

/** Texts that mostly parse, and mostly make no sense. */
const { text } = letrec<{ text: string }>((tie) => ({
  text: oneof(
    { depthSize: 'medium', withCrossShrink: true },
    oneOf(atoms),
    tuple(tie('text'), oneOf(operators), tie('text')).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    tuple(oneOf(functions), tie('text')).map(([name, argument]) => `${name}(${argument})`),
    tuple(tie('text'), oneOf(methods), tie('text')).map((parts) => called(...parts)),
    tuple(tie('text'), tie('text'), tie('text')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    tuple(tie('text'), tie('text')).map(([a, b]) => `[${a}, ${b}]`),
    tuple(tie('text'), tie('text')).map(([a, b]) => `dyn(${a})[${b}]`),
  ),
}))

const values = anyObject({ maxDepth: 3, values: [string(), integer(), boolean(), constant(null)] })

describe('an expression of anybody', () => {
  it('is compiled or refused, and judged, without an exception, for at most its budget', () => {
    let compiled = 0
    const judgedWithin = property(text, values, (expression, object) => {
      const compiling = compileCondition(`dyn(${expression}) == true`, scope)
      if (!compiling.ok) return compiling.problems.every(({ line, column }) => line >= 1 && column >= 1)
      compiled += 1
      const { evaluate } = compiling.condition
      const judged = evaluate({ object, now: new Date(0), request: { name: 'a', operation: '' } }, 1_000)
      return judged.ok ? judged.spent <= 1_000 : judged.error.length > 0
    })
    assert(judgedWithin, { seed: 20_841, numRuns: 1_000 })
    expect(compiled).to.be.greaterThan(100)
  })
})
