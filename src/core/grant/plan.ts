import type { Problem } from '../problem.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { Instant } from '../time.ts'
import type { World } from '../world.ts'
import type { Approvals } from './approval.ts'
import type { GrantRequest } from './decide.ts'
import type { GrantState, TerminalState } from './grant.ts'
import type { AskedApprovals } from './approval.ts'
import type { GrantRecord, SetRoles } from './record.ts'
import type { UntilFacts } from './until.ts'

/** What the grant's own status says. Nothing else may stand in front of an end. */
export interface GrantObservation {
  readonly state: GrantState
  readonly createdAt: Instant
  readonly deleting: boolean
  /** What was persisted before objects were created; null: nothing was, so none can exist. */
  readonly recorded: RecordedGrant | null
  /** An end that has been carried out and is not told yet, whatever else has changed since; null: there is none. */
  readonly ending: Omit<Extract<GrantPlan, { kind: 'End' }>, 'kind'> | null
  /** Whether a proof is on record that the access is gone. */
  readonly revocationVerified: boolean
  /** null: it has not, or that is not on record. */
  readonly endedAt: Instant | null
  /** Whether it was issued as an emergency, and nobody has reviewed it. */
  readonly unreviewed: boolean
  /** Whether a GitOps tool would create it again. */
  readonly tracked: boolean
}

export interface RecordedGrant {
  readonly issuedAt: Instant
  readonly notAfter: Instant
  readonly policyDigest: string
  readonly subjectUid: string | null
  readonly rules: readonly PolicyRule[]
  /** How many had approved it when it was issued. */
  readonly approvals: number
  /** null: only time ends it. */
  readonly untilUid: string | null
  /** UID of its own identity; absent: it has none, or none yet. */
  readonly accountUid?: string
}

/** Everything else that a plan looks at, read only for a grant that goes on, or has nothing left to lose. */
export interface GrantInputs {
  readonly grant:
    | { readonly ok: true; readonly request: GrantRequest }
    | { readonly ok: false; readonly problems: readonly Problem[] }
  readonly world: World
  /** Roles of the accepted version that is active; null: the operator has not accepted one, or cannot serve it. */
  readonly accepted: { readonly digest: string; readonly roles: SetRoles } | null
  /** The earliest that it may be now: a window opens and a duration begins by it, while what has ended goes by `now`. */
  readonly issueFrom: Instant
  readonly approvals: Approvals
  readonly until: UntilFacts
}

export type GrantPlan =
  /** Ended, and proved to be; null: there is nothing more to do to it. */
  | { readonly kind: 'Rest'; readonly lookAgainAt: Instant | null }
  /** It has ended, and was reviewed. */
  | { readonly kind: 'Reviewed'; readonly by: string }
  /** It was kept for as long as its policy keeps it. */
  | { readonly kind: 'Discard' }
  /** Nothing can be issued yet; at null: until something it depends on changes. */
  | {
      readonly kind: 'Wait'
      readonly at: Instant | null
      readonly reason: string
      readonly message: string
      /** What it waits for, if that is approvals; null: something else. */
      readonly approvals: AskedApprovals | null
    }
  | { readonly kind: 'Deny'; readonly reason: string; readonly message: string }
  /** Persist the record, look at the clock again, then create its objects. */
  | { readonly kind: 'Issue'; readonly record: GrantRecord }
  | { readonly kind: 'Keep'; readonly lookAgainAt: Instant; readonly until: UntilFacts }
  /** It has the approvals that it needs now, beyond what was recorded. */
  | { readonly kind: 'Approved'; readonly approvals: AskedApprovals }
  /** It ends earlier than was recorded. */
  | { readonly kind: 'Shorten'; readonly notAfter: Instant; readonly message: string }
  /** Remove the objects, prove it, and say that it ended at `at`. */
  | {
      readonly kind: 'End'
      readonly state: Exclude<TerminalState, 'Denied'>
      readonly at: Instant
      readonly message: string
    }
  /** It has ended, but the proof is missing: remove and prove again. */
  | { readonly kind: 'Prove' }

/** What ends before its time. */
export function revoke(now: Instant, message: string): Extract<GrantPlan, { kind: 'End' }> {
  return { kind: 'End', state: 'Revoked', at: now, message }
}
