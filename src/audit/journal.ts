import type { Tip } from '../core/audit/record.ts'

/** Where a chain goes on. */
export type Opening =
  /** After what was appended last. */
  | { readonly kind: 'Same' }
  /** Nowhere: nothing is there. */
  | { readonly kind: 'Empty' }
  /**
   * After what was found there. tip null: no record. torn: digests of the lines behind it, which were cut off in the
   * middle.
   */
  | { readonly kind: 'Found'; readonly tip: Tip | null; readonly torn: readonly string[] }

/** A place to which lines are appended. Not for two calls at a time. */
export interface Journal {
  /** Before each append; after one that has failed, what is there is found out anew. */
  open(): Promise<Opening>
  /** Resolves when they are there for good, as far as the place can promise that. */
  append(lines: string): Promise<void>
  close(): Promise<void>
}
