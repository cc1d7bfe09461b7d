/** One thing that makes an input unusable: where, what was expected, what to do. */
export interface Problem {
  /** Field path, `spec.subjects[0].kind`; empty for the document as a whole. */
  readonly path: string
  /** What is wrong and what was expected, one line, without a full stop. */
  readonly message: string
  /** What to do, one line; empty when the message already says it. */
  readonly remedy: string
}

/** The result of reading untrusted input: a value, or every problem found in it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }
