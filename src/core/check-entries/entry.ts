import type { Severity } from '../finding.ts'

/** What a check concerns: pod settings, tokens, held access, … and `Object` for grants, policies and what guards them. */
export type CheckArea = 'Host' | 'Token' | 'Access' | 'Escalation' | 'Standing' | 'Pin' | 'Condition' | 'Object'

/** What the catalogue says of one check. */
export interface EntryOf<Id extends string> {
  /** Stable, kebab-case: `host-path`. Part of the public surface. */
  readonly id: Id
  /** Of the documentation: H04, R03, T01, P01 (pins), S01 (standing), C01 (conditions), O01 (objects). */
  readonly code: string
  readonly title: string
  /** What it looks at, and what it finds: sentences. */
  readonly what: string
  /** The highest that it is reported with. */
  readonly severity: Severity
  readonly remedy: string
  readonly area: CheckArea
  /** Which other catalogues know it: `OWASP NHI5:2025`, `CIS 1.12 5.1.2`, `PSS restricted`. */
  readonly references: readonly string[]
  /** Whether a grant may waive it, if its policy lists it. */
  readonly waivable: boolean
}
