import * as fc from 'fast-check'
import { anyField, grammar } from './cel-grammar.ts'

const hole = /<([a-z]+)>/g

/** Levels of an expression, and how often a field of any type stands where one of a certain type is wanted. */
const maxDepth = 3
const strayShare = 12

/** Conditions, with some that do not compile. */
export const expressions = fc.letrec<Record<string, string>>((tie) =>
  Object.fromEntries(
    Object.entries(grammar).map(([type, [leaves, others]]) => {
      const leaf = { arbitrary: fc.constantFrom(...leaves), weight: Math.max(1, others.length * leafShare(type)) }
      const rest = others.map((template) => ({ arbitrary: filled(template, tie), weight: 1 }))
      const stray = {
        arbitrary: fc.constantFrom(...anyField),
        weight: isStrict(type) ? 0 : 1 + others.length / strayShare,
      }
      return [type, fc.oneof({ maxDepth, depthIdentifier: 'cel' }, ...[leaf, stray, ...rest].map(whole))]
    }),
  ),
).condition as fc.Arbitrary<string>

/** Where no field of any type may stand. */
function isStrict(type: string): boolean {
  return [
    'pattern',
    'zone',
    'dyn',
    'condition',
    'whole',
    'word',
    'share',
    'count',
    'digits',
    'numbers',
    'names',
  ].includes(type)
}

function leafShare(type: string): number {
  return type === 'condition' ? 0.02 : 1
}

function whole({ arbitrary, weight }: fc.WeightedArbitrary<string>): fc.WeightedArbitrary<string> {
  return { arbitrary, weight: Math.round(weight) }
}

function filled(template: string, tie: (type: string) => fc.Arbitrary<string>): fc.Arbitrary<string> {
  const types = [...template.matchAll(hole)].map(([, type = '']) => type)
  return fc.tuple(...types.map(tie)).map((parts) => {
    let next = 0
    return template.replaceAll(hole, () => bracketed(parts[next++] ?? ''))
  })
}

function bracketed(text: string): string {
  return /^[\w.]+$/.test(text) ? text : `(${text})`
}

const texts = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'a,b',
  'ÄÖ',
  'ß😀é',
  '！',
  '12',
  'true',
  '10.0.0.1',
  '1Gi',
  '1.2.3',
  'constructor',
)
const wholes = fc.constantFrom(0, 1, 2, 3, -1, -7, 100, 2 ** 53)
const doubles = fc.constantFrom(0.5, -1.5, 1e300, 1e-7, 2.25, 1e20)
const lists = { ints: fc.array(wholes, { maxLength: 3 }), texts: fc.array(texts, { maxLength: 3 }) }
const labels = fc.dictionary(
  fc.constantFrom('a', 'b', 'constructor', '__proto__', 'app.kubernetes.io/name', 'ÄÖ'),
  texts,
  { maxKeys: 1 },
)
const anything = fc.oneof(texts, wholes, doubles, fc.boolean(), fc.constant(null), lists.ints, lists.texts, labels)

/** Mostly what the name of the field promises; now and then anything. */
function mostly(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary, weight: 9 }, { arbitrary: anything, weight: 1 })
}

function shape(parts: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  const usually = Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [name, fc.option(mostly(part), { freq: 8, nil: undefined })]),
  )
  return fc
    .record(usually)
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
}

/** What `object` is: some fields are missing, some null, some of another type. */
export const objects = shape({
  i: wholes,
  j: wholes,
  d: doubles,
  e: doubles,
  s: texts,
  u: texts,
  b: fc.boolean(),
  n: fc.constant(null),
  li: lists.ints,
  ls: lists.texts,
  m: labels,
  labels,
  'a b': texts,
  nested: shape({ i: wholes, s: texts, n: fc.constant(null), ls: lists.texts }),
  items: fc.array(shape({ name: texts, i: wholes }), { maxLength: 2 }),
})

export const moments = fc.constantFrom(
  '2026-07-01T07:30:00.250Z',
  '2024-02-29T23:59:59Z',
  '2026-03-29T00:59:59.999Z',
  '2026-12-31T23:30:00Z',
  '1969-12-31T23:59:59.5Z',
)
