import type { Finding } from '../core/finding.ts'
import type { Enforcement, Policy } from '../core/policy/policy.ts'

/** A finding, what it does, and under which policy. */
export interface JudgedFinding extends Finding {
  readonly enforcement: Enforcement
  /** null: the policy that was asked does not exist. */
  readonly policy: Pick<Policy, 'name' | 'version' | 'owner'> | null
}
