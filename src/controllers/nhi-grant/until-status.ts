import { mergeConditions, type Conclusion } from '../../api/v1alpha1/conditions.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { UntilFacts } from '../../core/grant/until.ts'
import type { Instant } from '../../core/time.ts'

const type = 'UntilObserved'

/** The status of an Active grant that says whether what it ends with can be seen: a condition while it cannot. All else stays. */
export function untilStatus(grant: NHIGrant, facts: UntilFacts, now: Instant): NHIGrantStatus {
  const { conditions = [], ...status } = grant.status ?? {}
  const said = conditions.some((condition) => condition.type === type)
  if (facts.kind === 'Unread' || (facts.kind !== 'Unknown' && !said)) return grant.status ?? {}
  const others = conditions.filter((condition) => condition.type !== type)
  const message = facts.kind === 'Unknown' ? `only time ends it until then: ${facts.message}` : ''
  const doubt: Conclusion = { type, status: 'False', reason: 'UntilUnknown', message }
  const conclusions = facts.kind === 'Unknown' ? [...others, doubt] : others
  return { ...status, conditions: mergeConditions(conditions, conclusions, status.observedGeneration ?? 0, now) }
}
