import { highFinding, type Finding } from '../finding.ts'
import { describePolicy, type GrantTerms, type Policy } from '../policy/policy.ts'
import type { GrantSpec, UntilSpec } from './grant.ts'

/** What is known of the object that a grant ends with. */
export type UntilFacts =
  /** Only time ends the grant. */
  | { readonly kind: 'None' }
  /** It is about to be read. */
  | { readonly kind: 'Unread' }
  | { readonly kind: 'Absent' }
  | { readonly kind: 'Running'; readonly uid: string }
  | { readonly kind: 'Ended'; readonly uid: string; readonly message: string }
  /** It may not be read, or what is asked of it cannot be judged. It ends nothing. */
  | { readonly kind: 'Unknown'; readonly message: string }

/** Kinds that an expression looks at must be listed; a Job and a Pod end by themselves. */
export function reviewUntil({ until }: GrantSpec, policy: Policy, terms: GrantTerms): readonly Finding[] {
  if (until === null || until.condition === null) return []
  const { apiVersion, kind } = until
  if (terms.until.some((listed) => listed.apiVersion === apiVersion && listed.kind === kind)) return []
  const listed = terms.until.map((each) => `${each.apiVersion} ${each.kind}`)
  const message = `policy ${describePolicy(policy)} does not let a grant look at ${apiVersion} ${kind}`
  const remedy = listed.length === 0 ? 'name a Job or a Pod without an expression' : `it lists: ${listed.join(', ')}`
  return [highFinding('until-not-allowed', 'spec.until', message, remedy)]
}

/** Why the object of an issued grant is over; null: it is not, or not known to be. Another one of its name is not it. */
export function whyCompleted(until: UntilSpec | null, facts: UntilFacts, uid: string | null): string | null {
  if (until === null) return null
  const what = describeUntil(until)
  switch (facts.kind) {
    case 'None':
    case 'Unread':
    case 'Unknown':
      return null
    case 'Absent':
      return `${what} is gone`
    case 'Running':
    case 'Ended':
      if (uid !== null && facts.uid !== uid) return `${what} was deleted and created again`
      return facts.kind === 'Ended' ? `${what} ${facts.message}` : null
  }
}

/** The version of the kinds that are named without one. */
export function untilApiVersion(kind: string): string {
  return kind === 'Job' ? 'batch/v1' : 'v1'
}

export function describeUntil({ kind, name }: UntilSpec): string {
  return `${kind} ${name}`
}
