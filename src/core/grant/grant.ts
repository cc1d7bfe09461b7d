import type { CompiledCondition } from '../cel/condition.ts'
import type { CheckId } from '../check-catalogue.ts'
import type { Identity } from '../identity.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { Instant, Millis } from '../time.ts'

/** What an NHIGrant asks for, parsed. Lists that were omitted are empty. */
export interface GrantSpec {
  /** version null: whatever is active when the grant is issued. */
  readonly policy: { readonly name: string; readonly version: string | null }
  readonly subject: Identity
  /** Names of the policy's permission sets; without any it only waives. */
  readonly permissions: readonly string[]
  /** When not empty, the only rules that are granted; the named permissions must cover them. */
  readonly rules: readonly PolicyRule[]
  /** Checks that are to pass for the subject's workloads in the namespace of the grant. */
  readonly waive: readonly CheckId[]
  readonly end: GrantEnd
  /** null: at once. */
  readonly notBefore: Instant | null
  readonly reason: string
  readonly ticket: string | null
  /** User name of who asked, as the API server authenticated it; null: not stamped, which is a no. */
  readonly requestedBy: string | null
  /** What ends it early; null: only time does. */
  readonly until: UntilSpec | null
  /** An identity of the grant's own and a token in a Secret; null: the subject itself gets the access. */
  readonly credential: { readonly secretName: string; readonly audiences: readonly string[] } | null
  /** null: it is no emergency. */
  readonly breakGlass: { readonly incident: string } | null
  /** null: not revoked. */
  readonly revoke: { readonly reason: string } | null
}

/** When a grant ends: after a duration from its issue, at an instant, or after the policy's default duration. */
export type GrantEnd =
  | { readonly kind: 'After'; readonly duration: Millis }
  | { readonly kind: 'At'; readonly notAfter: Instant }
  | { readonly kind: 'Default' }

/** An object in the namespace of the grant. */
export interface UntilSpec {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  /** True ends the grant; null: a Job or Pod, which ends by itself. */
  readonly condition: CompiledCondition | null
}

export type TerminalState = 'Expired' | 'Completed' | 'Revoked' | 'Denied'
export type GrantState = 'Pending' | 'AwaitingApproval' | 'Active' | TerminalState

/** A terminal state never revives. */
export function isTerminal(state: GrantState): state is TerminalState {
  return state !== 'Pending' && state !== 'AwaitingApproval' && state !== 'Active'
}
