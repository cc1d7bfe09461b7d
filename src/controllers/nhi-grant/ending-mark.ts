import { clip } from '../../api/v1alpha1/clip.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { isTerminal } from '../../core/grant/grant.ts'
import type { GrantPlan } from '../../core/grant/plan.ts'
import { formatInstant } from '../../core/time.ts'

type EndOfGrant = Pick<Extract<GrantPlan, { kind: 'End' }>, 'state' | 'at' | 'message'>

/** What its time, its spec or its deletion says is said for good. */
export function needsMark({ metadata, spec, status = {} }: NHIGrant, { state }: EndOfGrant): boolean {
  const isSaid = state === 'Expired' || spec.revoke !== undefined || metadata.deletionTimestamp !== undefined
  return !isSaid && status.ending === undefined && !isTerminal(status.state ?? 'Pending')
}

/** What can pass, such as a suspension that is lifted, ends a grant all the same: from now on nothing revives it. */
export function endingStatus(grant: NHIGrant, { state, at, message }: EndOfGrant): NHIGrantStatus {
  return { ...grant.status, ending: { state, at: formatInstant(at), reason: clip(message) } }
}
