import type { NHIGrant, NHISuspension } from '../../api/v1alpha1/objects.ts'
import type { Cache } from '../../cluster/ports.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { readUnreviewed } from '../../world/read-facts.ts'

export interface GaugedCaches {
  readonly grants: Pick<Cache<NHIGrant>, 'list'>
  readonly suspensions: Pick<Cache<NHISuspension>, 'list'>
}

/** What somebody has to look at: emergencies that nobody has reviewed, and identities that are suspended. */
export function registerGrantGauges(
  metrics: Pick<Metrics, 'gauge' | 'gaugeByPolicy'>,
  { grants, suspensions }: GaugedCaches,
): void {
  const unreviewed = 'Break-glass grants that nobody has reviewed, whether or not they have ended.'
  metrics.gaugeByPolicy('lapse_unreviewed_break_glass', unreviewed, () => unreviewedByPolicy(grants.list()))
  metrics.gauge('lapse_suspensions', 'NHISuspensions that are there.', () => suspensions.list().length)
}

function unreviewedByPolicy(grants: readonly NHIGrant[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const grant of grants) {
    const policy = readUnreviewed(grant)?.policy
    if (policy !== undefined) counts.set(policy, (counts.get(policy) ?? 0) + 1)
  }
  return counts
}
