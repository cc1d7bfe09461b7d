import type { Condition } from '../../api/v1alpha1/conditions.ts'
import { apiVersion, type AccessPolicy } from '../../api/v1alpha1/objects.ts'
import type { EventNote } from '../../cluster/ports.ts'

/** The event of a status that was written in the place of another, if what it says of the policy as a whole is new. */
export function newsOfPolicy(before: AccessPolicy, after: AccessPolicy): readonly EventNote[] {
  const was = readyOf(before)
  const is = readyOf(after)
  if (is === undefined || (is.reason === was?.reason && is.message === was.message)) return []
  return [
    {
      regarding: { apiVersion, kind: 'AccessPolicy', metadata: after.metadata },
      type: is.reason === 'Accepted' ? 'Normal' : 'Warning',
      reason: is.reason,
      action: is.status === 'True' ? 'Accept' : 'Refuse',
      note: is.message,
    },
  ]
}

function readyOf({ status }: AccessPolicy): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')
}
