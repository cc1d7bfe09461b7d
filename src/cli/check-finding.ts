import type { Finding } from '../core/finding.ts'
import type { Enforcement, Policy } from '../core/policy/policy.ts'
import type { PolicyFinding, Verdict } from '../core/workload/review.ts'

/** A finding, what it does, and under which policy. */
export interface JudgedFinding extends Finding, Pick<PolicyFinding, 'waivedBy'> {
  readonly enforcement: Enforcement
  /** null: the policy that was asked does not exist. */
  readonly policy: Pick<Policy, 'name' | 'version' | 'owner'> | null
  /** Whether the baseline lists it, so that it is told and does not count. Default: no. */
  readonly isBaselined?: boolean
}

export interface Judgement {
  readonly verdict: Verdict
  readonly findings: readonly JudgedFinding[]
  /** What the author can do beside mending it, one line each, where that is known already. */
  readonly next?: readonly string[]
}

/** Whether it refuses the object: what is waived, or put up with, does not. */
export function isDenying({ enforcement, isBaselined, waivedBy }: JudgedFinding): boolean {
  return enforcement === 'Deny' && isBaselined !== true && waivedBy === undefined
}

/** What is put up with is warned of. */
export function judgementOf(findings: readonly JudgedFinding[]): Judgement {
  const open = findings.filter(({ waivedBy }) => waivedBy === undefined)
  if (open.some(isDenying)) return { verdict: 'Deny', findings }
  if (open.some(({ enforcement }) => enforcement !== 'Audit')) return { verdict: 'Warn', findings }
  return { verdict: open.length > 0 ? 'Audit' : 'Allow', findings }
}
