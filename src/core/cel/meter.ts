/** What an evaluation has left to spend. Once it is over it stays over, whatever the expression makes of the error. */
export class Meter {
  #left = 0

  /** Begins an evaluation. Evaluation is synchronous and never nested, so one meter serves all. */
  start(budget: number): void {
    this.#left = budget
  }

  get left(): number {
    return Math.max(0, this.#left)
  }

  get isOver(): boolean {
    return this.#left < 0
  }

  /** Throws Fault when it costs more than is left. */
  charge(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new Fault('costs more than its budget')
  }
}

/** Begins every message of ours, so that it is told from one of the engine, which may hold values of the judged object. */
const mark = 'lapse: '

/** Why an evaluation failed, in words that hold no value of what is judged. */
export class Fault extends Error {
  constructor(text: string) {
    super(mark + text)
  }
}

/** What may be told of an error: the texts of ours, and a few of the engine that say nothing about values. */
export function tellable(message: string): string {
  if (message.startsWith(mark)) return message.slice(mark.length)
  return known.find(([pattern]) => pattern.test(message))?.[1] ?? 'cannot be evaluated'
}

const known: readonly (readonly [RegExp, string])[] = [
  [/^field not found/, 'there is no such field or key'],
  [/^unresolved attribute/, 'there is no such field or key'],
  [/^index out of bounds|^index \d+ out of/, 'there is no such index'],
  [/overflow/, 'a number or time is out of range'],
  [/^(divide|division|modulus) by zero|by zero$/, 'divides by zero'],
  [/^found no matching overload|^type mismatch/, 'a value is of a type that this does not take'],
  [/^map key conflict/, 'a map has the same key twice'],
  [/^unsupported key type/, 'a map has a key of a type that no map takes'],
]
