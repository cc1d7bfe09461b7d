import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { parseNHIGrant } from '../../api/v1alpha1/parse-nhi-grant.ts'
import type { GrantInputs } from '../../core/grant/plan.ts'
import { requesterNamed } from '../../core/identity.ts'
import type { TwoSidedClock } from '../../runtime/clock.ts'
import type { GrantStore } from './grant-store.ts'
import { createdAtOf } from './observe.ts'
import type { UntilObjects } from './until-objects.ts'

export interface InputSources {
  readonly store: GrantStore
  readonly clock: Pick<TwoSidedClock, 'earliest'>
  readonly untilObjects: UntilObjects
}

/** Everything that a plan looks at beside the status of the grant itself. */
export function grantInputs(grant: NHIGrant, { store, clock, untilObjects }: InputSources): GrantInputs {
  const { world } = store
  const issueFrom = clock.earliest()
  const approvals = store.approvals(grant)
  const parsed = parseNHIGrant(grant)
  if (!parsed.ok) {
    const until = { kind: 'None' } as const
    return { grant: { ok: false, problems: parsed.problems }, world, accepted: null, issueFrom, approvals, until }
  }
  const { namespace, name, spec } = parsed.value
  const requester = spec.requestedBy === null ? null : requesterNamed(spec.requestedBy)
  const request = { uid: grant.metadata.uid, namespace, name, spec, requester, createdAt: createdAtOf(grant) }
  const accepted = store.accepted(spec.policy.name)
  const until = untilObjects.factsOf(namespace, spec.until)
  return { grant: { ok: true, request }, world, accepted, issueFrom, approvals, until }
}
