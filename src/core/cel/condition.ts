/** What is wrong with an expression, and where: counted from 1. */
export interface ExpressionProblem {
  readonly line: number
  readonly column: number
  readonly message: string
  /** Empty when the message already says it. */
  readonly remedy: string
}

/** An answer, and the units that it cost. An error is a no, and says nothing of the values that were judged. */
export type Judged = { readonly spent: number } & (
  | { readonly ok: true; readonly value: boolean }
  | { readonly ok: false; readonly error: string }
)

export interface CompiledCondition {
  /** Names of the variables that occur in it; others need not be given. */
  readonly uses: ReadonlySet<string>
  /**
   * Never throws. Variables are JSON, or a Date for a timestamp; one that is undefined is not there. `budget` is what
   * is left of the policy's; never more than one expression may cost is spent.
   */
  readonly evaluate: (variables: Readonly<Record<string, unknown>>, budget?: number) => Judged
}

export type Compiling =
  | { readonly ok: true; readonly condition: CompiledCondition }
  | { readonly ok: false; readonly problems: readonly ExpressionProblem[] }
