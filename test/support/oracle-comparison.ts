import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import type { Oracle, OracleTopic } from './oracle.ts'

/** One kind of question that Kubernetes' code and Lapse's both answer. */
export interface ComparisonTerms<Case, Answer> {
  /** For a table: `covers`. */
  readonly name: string
  /** What one case is, in the plural: `pairs of rule lists`. */
  readonly unit: string
  readonly topic: OracleTopic
  readonly cases: fc.Arbitrary<Case>
  readonly input: (one: Case) => unknown
  readonly ours: (one: Case) => Answer
  /** The oracle's output in the form of our answer. */
  readonly theirs: (output: unknown, one: Case) => Answer
  /** What the answer says to each question of the case: equal answers show little when they are all the same. */
  readonly verdicts: (answer: Answer) => readonly string[]
}

export interface Course {
  readonly cases: number
  /** Of the generated cases: the same seed gives the same cases. */
  readonly seed: number
}

export interface Agreement {
  readonly cases: number
  readonly questions: number
  /** How often each verdict was given. */
  readonly verdicts: ReadonlyMap<string, number>
  /** The smallest case that was found to be answered differently, with both answers; null: none was. */
  readonly difference: string | null
}

export interface Comparison {
  readonly name: string
  readonly unit: string
  /** Puts so many generated cases to both, until one is answered differently. */
  readonly run: (oracle: Oracle, course: Course) => Promise<Agreement>
}

/** Cases per question line: enough to make the trip cheap. */
const batchSize = 200

export function comparison<Case, Answer>(terms: ComparisonTerms<Case, Answer>): Comparison {
  const run = async (oracle: Oracle, { cases, seed }: Course): Promise<Agreement> => {
    const verdicts = new Map<string, number>()
    let questions = 0
    for (let done = 0; done < cases; done += batchSize) {
      const course = { seed: seed + done, cases: Math.min(batchSize, cases - done) }
      const batch = fc.sample(terms.cases, { seed: course.seed, numRuns: course.cases })
      const { answers, agree } = await ask(terms, oracle, batch)
      if (!agree) return { cases: done, questions, verdicts, difference: await smallest(terms, oracle, course, batch) }
      for (const verdict of answers.flatMap(terms.verdicts)) {
        questions++
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
      }
    }
    return { cases, questions, verdicts, difference: null }
  }
  return { name: terms.name, unit: terms.unit, run }
}

async function ask<Case, Answer>(terms: ComparisonTerms<Case, Answer>, oracle: Oracle, batch: readonly Case[]) {
  const asked = oracle.ask(terms.topic, batch.map(terms.input))
  asked.catch(() => undefined) // it is awaited below, after our own work, which may throw first
  const answers = batch.map(terms.ours)
  const outputs = await asked
  const theirs = batch.map((one, index) => terms.theirs(outputs[index], one))
  return { answers, theirs, agree: outputs.length === batch.length && isDeepStrictEqual(answers, theirs) }
}

/** The batch again, one by one, so that the cases can be made smaller as long as the answers differ. */
async function smallest<Case, Answer>(
  terms: ComparisonTerms<Case, Answer>,
  oracle: Oracle,
  { seed, cases }: Course,
  batch: readonly Case[],
): Promise<string> {
  const agrees = fc.asyncProperty(terms.cases, async (one) => (await ask(terms, oracle, [one])).agree)
  const { counterexample } = await fc.check(agrees, { seed, numRuns: cases })
  const found = counterexample?.[0]
  if (found !== undefined) return describe(terms, oracle, found)
  for (const one of batch) {
    if (!(await ask(terms, oracle, [one])).agree) return describe(terms, oracle, one)
  }
  return 'the answers differ in a batch, but not one by one'
}

async function describe<Case, Answer>(
  terms: ComparisonTerms<Case, Answer>,
  oracle: Oracle,
  one: Case,
): Promise<string> {
  const { answers, theirs } = await ask(terms, oracle, [one])
  const lines = { case: terms.input(one), ours: answers[0], theirs: theirs[0] }
  return Object.entries(lines)
    .map(([label, value]) => `${label}: ${JSON.stringify(value)}`)
    .join('\n')
}
