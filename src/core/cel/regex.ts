import { celList } from '@bufbuild/cel'
import { RE2JS } from 're2js'
import { Fault, type Meter } from './meter.ts'
import { int, overload, text, type Overload } from './overload.ts'

/** Characters of a pattern. */
export const maxPatternLength = 1_000

/** Of all repetition counts in a pattern together: each is spelled out when it is compiled. */
const maxRepetitions = 1_000

/** Patterns are few and come again with every object; when there are too many, they are learned anew. */
const compiled = new Map<string, RE2JS>()
const maxCompiled = 500

/** Why it is no pattern that is taken; null: it is one. */
export function patternProblem(pattern: string): string | null {
  if (pattern.length > maxPatternLength)
    return `the pattern has ${pattern.length} characters, more than ${maxPatternLength}`
  if (repetitions(pattern) > maxRepetitions)
    return `the repetitions of the pattern come to more than ${maxRepetitions} together`
  try {
    compile(pattern)
    return null
  } catch {
    return 'the pattern is not of the syntax of RE2'
  }
}

function repetitions(pattern: string): number {
  let total = 0
  for (const [, least = '0', most = ''] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g))
    total += Math.max(Number(least), Number(most))
  return total
}

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  const fresh = RE2JS.compile(pattern)
  if (compiled.size >= maxCompiled) compiled.clear()
  compiled.set(pattern, fresh)
  return fresh
}

/** Linear in the text and in the size of the compiled pattern, and charged by both before it runs. */
function ready(pattern: string, subject: string, meter: Meter): RE2JS {
  if (pattern.length > maxPatternLength || repetitions(pattern) > maxRepetitions)
    throw new Fault('the pattern is too long')
  const regex = compileOrFault(pattern)
  meter.charge(1 + (subject.length * regex.programSize()) / 20)
  return regex
}

function compileOrFault(pattern: string): RE2JS {
  try {
    return compile(pattern)
  } catch {
    throw new Fault('the pattern is not of the syntax of RE2')
  }
}

function findAll(pattern: string, subject: string, most: number, meter: Meter): readonly string[] {
  const found: string[] = []
  if (most === 0) return found
  const matcher = ready(pattern, subject, meter).matcher(subject)
  while (matcher.find()) {
    meter.charge(10)
    found.push(matcher.group() ?? '')
    if (found.length === most) break
  }
  return found
}

function findFirst(pattern: string, subject: string, meter: Meter): string {
  return findAll(pattern, subject, 1, meter)[0] ?? ''
}

/** Compiling costs more than most matches: a pattern that is not written down in the expression pays for it. */
function chargeUnwritten(pattern: string, meter: Meter): void {
  meter.charge(pattern.length * 20)
}

/** `@…`: the pattern is a text in the expression, looked at when that was compiled. */
export const regexes: readonly Overload[] = [false, true].flatMap((isWritten) => {
  const name = isWritten ? '@' : '.'
  const pay = isWritten ? (): void => {} : chargeUnwritten
  return [
    overload(`${name}matches`, ['string', 'string'], 'bool', ([subject, pattern], { meter }) => {
      pay(text(pattern), meter)
      return ready(text(pattern), text(subject), meter).test(text(subject))
    }),
    overload(`${name}find`, ['string', 'string'], 'string', ([subject, pattern], { meter }) => {
      pay(text(pattern), meter)
      return findFirst(text(pattern), text(subject), meter)
    }),
    overload(`${name}findAll`, ['string', 'string'], 'list', ([subject, pattern], { meter }) => {
      pay(text(pattern), meter)
      return celList(findAll(text(pattern), text(subject), -1, meter))
    }),
    overload(`${name}findAll`, ['string', 'string', 'int'], 'list', ([subject, pattern, most], { meter }) => {
      pay(text(pattern), meter)
      return celList(findAll(text(pattern), text(subject), Number(int(most)), meter))
    }),
  ]
})
