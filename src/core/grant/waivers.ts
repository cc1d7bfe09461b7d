import { highFinding, type Finding } from '../finding.ts'
import { describeIdentity } from '../identity.ts'
import { describePolicy, type GrantTerms, type Policy } from '../policy/policy.ts'
import { canonicalIdentity } from '../policy/select.ts'
import type { GrantSpec } from './grant.ts'

/** What stands against the checks that a grant in `namespace` wants waived: the policy must list each, and there must be workloads that it is for. */
export function reviewWaivers(
  spec: GrantSpec,
  namespace: string,
  policy: Policy,
  terms: GrantTerms,
): readonly Finding[] {
  if (spec.waive.length === 0) return []
  return [...reviewListed(spec, policy, terms), ...reviewWhose(spec, namespace)]
}

function reviewListed({ waive }: GrantSpec, policy: Policy, { waivable }: GrantTerms): readonly Finding[] {
  const remedy = waivable.length === 0 ? 'it lets none be waived' : `it lets these be waived: ${waivable.join(', ')}`
  return waive.flatMap((check, index) =>
    waivable.includes(check)
      ? []
      : [
          highFinding(
            'waiver-not-allowed',
            `spec.waive[${index}]`,
            `policy ${describePolicy(policy)} does not let grants waive ${check}`,
            remedy,
          ),
        ],
  )
}

/** A waiver is for Pods that run as the subject in the grant's namespace; Pods run as an account of their own namespace only. */
function reviewWhose(spec: GrantSpec, namespace: string): readonly Finding[] {
  const subject = canonicalIdentity(spec.subject)
  if (subject.kind === 'ServiceAccount' && subject.namespace === namespace) return []
  const message = `no workload in namespace ${namespace} runs as ${describeIdentity(subject)}, so that there is nothing to waive`
  const remedy =
    subject.kind === 'ServiceAccount'
      ? `create the grant in namespace ${subject.namespace}`
      : `name a ServiceAccount of namespace ${namespace}, or leave out spec.waive`
  return [highFinding('waiver-subject', 'spec.subject', message, remedy)]
}
