import { highFinding, type Finding } from '../finding.ts'
import { describeIdentity, sameIdentity } from '../identity.ts'
import { describePolicy, type BreakGlassTerms, type GrantTerms, type Policy } from '../policy/policy.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { World } from '../world.ts'
import { mayDecide, type Approvals } from './approval.ts'
import { describeGrant } from './cluster-grant.ts'
import type { GrantSpec } from './grant.ts'

/** The terms for emergencies, for a grant that asks by them; null: it does not, or the policy has none. */
export function emergencyTerms(spec: GrantSpec, terms: GrantTerms): BreakGlassTerms | null {
  return spec.breakGlass === null ? null : terms.breakGlass
}

/** What stands against a grant that calls itself an emergency: an earlier one that nobody has reviewed. */
export function reviewBreakGlass(
  spec: GrantSpec,
  policy: Policy,
  terms: GrantTerms,
  world: World,
  now: Instant,
): readonly Finding[] {
  if (spec.breakGlass === null) return []
  if (terms.breakGlass === null) {
    const message = `policy ${describePolicy(policy)} issues no grants for emergencies`
    return [highFinding('break-glass-not-allowed', 'spec.breakGlass', message, 'ask without spec.breakGlass')]
  }
  const blocking = world
    .unreviewed(policy.name)
    .find(({ subject, ended, dueBy }) => now >= dueBy || (ended && sameIdentity(subject, spec.subject)))
  if (blocking === undefined) return []
  const { namespace, name, subject, dueBy } = blocking
  const since = now >= dueBy ? `was due for review at ${formatInstant(dueBy)}` : 'is not reviewed yet'
  const message = `grant ${describeGrant(blocking)} of ${describeIdentity(subject)} ${since}`
  return [
    highFinding(
      'break-glass-unreviewed',
      'spec.breakGlass',
      message,
      `lapse review ${name} ${namespace === '' ? '--cluster' : `-n ${namespace}`}`,
    ),
  ]
}

/** Who has reviewed a grant for an emergency, of those who may by the policy as it is now; null: nobody. */
export function reviewerOf(spec: GrantSpec, { facts }: Approvals, policy: Policy | null, world: World): string | null {
  const by = policy?.grants?.breakGlass?.reviewers ?? []
  const review = facts.find(
    ({ decision, approver }) => decision === 'Review' && approver !== null && mayDecide(spec, approver, by, world),
  )
  return review?.approver ?? null
}
