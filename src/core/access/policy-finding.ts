import type { Finding } from '../finding.ts'
import type { Enforcement, Policy } from '../policy/policy.ts'
import type { PolicyFinding } from '../workload/review.ts'

/** A breach: it does what the policy says that breaches do. */
export function enforced(finding: Finding, policy: Policy): PolicyFinding {
  return under(finding, policy, policy.workloads?.enforcement ?? 'Deny')
}

/** A remark: it refuses nothing, however strict the policy. */
export function advisory(finding: Finding, policy: Policy): PolicyFinding {
  return under(finding, policy, policy.workloads?.enforcement === 'Audit' ? 'Audit' : 'Warn')
}

/** Whether the policy judges what its subjects hold without a grant. */
export function judgesStanding(policy: Policy): boolean {
  return (policy.workloads?.standing ?? null) !== null
}

function under(finding: Finding, { name, version, owner }: Policy, enforcement: Enforcement): PolicyFinding {
  return { ...finding, enforcement, policy: { name, version, owner } }
}
