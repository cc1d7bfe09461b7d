import type { Condition } from '../../api/v1alpha1/conditions.ts'
import { apiVersion, type NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { EventNote } from '../../cluster/ports.ts'
import { describePolicy } from '../../core/policy/policy.ts'
import { policyNamedBy } from './named-in-spec.ts'

type News = Omit<EventNote, 'regarding'>

/** The events of a status that was written in the place of another; none when it says nothing that people wait for. */
export function newsOfGrant(before: NHIGrant, after: NHIGrant): readonly EventNote[] {
  const regarding = { apiVersion, kind: after.kind, metadata: after.metadata }
  return [...newsOfState(before, after), ...newsOfProof(before, after)].map((news) => ({ regarding, ...news }))
}

function newsOfState(before: NHIGrant, after: NHIGrant): readonly News[] {
  const { state = 'Pending', endedReason = '' } = after.status ?? {}
  if (state === before.status?.state) return []
  switch (state) {
    case 'Pending':
      return []
    case 'AwaitingApproval':
      return [{ type: 'Normal', reason: readyOf(after).reason, action: 'Approve', note: readyOf(after).message }]
    case 'Active':
      return [{ type: 'Normal', reason: 'Issued', action: 'Issue', note: issued(after) }]
    case 'Denied':
      return [{ type: 'Warning', reason: readyOf(after).reason, action: 'Issue', note: endedReason }]
    case 'Expired':
    case 'Completed':
    case 'Revoked':
      return [{ type: 'Normal', reason: state, action: 'Remove', note: ended(after) }]
  }
}

/** Why it is ready, or is not. */
function readyOf(grant: NHIGrant): Pick<Condition, 'reason' | 'message'> {
  return conditionOf(grant, 'Ready') ?? { reason: 'Denied', message: '' }
}

/** A proof that comes with the end is part of its news; whatever else is found out about it is news of its own. */
function newsOfProof(before: NHIGrant, after: NHIGrant): readonly News[] {
  const was = conditionOf(before, 'RevocationVerified')
  const is = conditionOf(after, 'RevocationVerified')
  if (is === undefined || (is.reason === was?.reason && is.message === was.message)) return []
  const { reason, message: note } = is
  if (is.status !== 'True') return [{ type: 'Warning', reason, action: 'Verify', note }]
  return was === undefined ? [] : [{ type: 'Normal', reason, action: 'Verify', note }]
}

function issued(grant: NHIGrant): string {
  const { notAfter = '', policy } = grant.status ?? {}
  return `until ${notAfter}, under policy ${describePolicy({ name: policyNamedBy(grant), version: policy?.version ?? '' })}`
}

/** The overstay is known with the proof only. */
function ended({ status = {} }: NHIGrant): string {
  const { endedReason = '', revocation = {} } = status
  const { verifiedAt, overstay } = revocation
  if (verifiedAt === undefined || overstay === undefined) return endedReason
  return `${endedReason}; its access outlived that by ${overstay} at most`
}

function conditionOf({ status }: NHIGrant, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}
