import type { AccessPolicyStatus } from '../../api/v1alpha1/access-policy.schema.ts'
import { mergeConditions, type Conclusion } from '../../api/v1alpha1/conditions.ts'
import type { AccessPolicy } from '../../api/v1alpha1/objects.ts'
import { describePolicy, type Policy } from '../../core/policy/policy.ts'
import { formatInstant, type Instant } from '../../core/time.ts'

/** A policy that is in force, or has expired. `unpooled` names the sets for which the role pool had no room. */
export function acceptedStatus(
  object: AccessPolicy,
  policy: Policy,
  facts: { readonly expired: boolean; readonly unpooled: readonly string[]; readonly activeGrants: number },
  now: Instant,
): AccessPolicyStatus {
  const status = {
    activeVersion: policy.version,
    digest: policy.digest,
    grants: { active: facts.activeGrants },
  }
  return conclude(object, status, [readiness(policy, facts), expiry(policy, facts.expired)], now)
}

/** A policy that is not in force as it is written. Stalled is how kstatus knows that somebody has to act. */
export function rejectedStatus(
  object: AccessPolicy,
  reason: string,
  message: string,
  now: Instant,
): AccessPolicyStatus {
  const stalled: Conclusion = { type: 'Stalled', status: 'True', reason, message }
  return conclude(object, {}, [{ type: 'Ready', status: 'False', reason, message }, stalled], now)
}

function readiness(
  policy: Policy,
  facts: { readonly expired: boolean; readonly unpooled: readonly string[] },
): Conclusion {
  const name = describePolicy(policy)
  if (facts.expired) {
    const message = `${name} was due for review at ${formatInstant(policy.change.expiresAt)} and issues nothing since`
    return { type: 'Ready', status: 'False', reason: 'Expired', message }
  }
  if (facts.unpooled.length === 0)
    return { type: 'Ready', status: 'True', reason: 'Accepted', message: `${name} is in force` }
  const message = `${name} is in force; the role pool has no room for ${facts.unpooled.join(', ')}, whose grants are issued more slowly`
  return { type: 'Ready', status: 'True', reason: 'PoolExhausted', message }
}

function expiry(policy: Policy, expired: boolean): Conclusion {
  const at = formatInstant(policy.change.expiresAt)
  return expired
    ? { type: 'Expired', status: 'True', reason: 'ReviewOverdue', message: `the review was due at ${at}` }
    : { type: 'Expired', status: 'False', reason: 'NotDue', message: `the next review is due at ${at}` }
}

function conclude(
  object: AccessPolicy,
  changed: AccessPolicyStatus,
  conclusions: readonly Conclusion[],
  now: Instant,
): AccessPolicyStatus {
  const generation = object.metadata.generation ?? 0
  return {
    ...object.status,
    ...changed,
    observedGeneration: generation,
    conditions: mergeConditions(object.status?.conditions ?? [], conclusions, generation, now),
  }
}
