import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { isTerminal } from '../../core/grant/grant.ts'

/** Whether there may be something that carries the grant. One that has ended was made sure to have nothing, and gets nothing any more. */
export function isUnderWay(grant: NHIGrant): boolean {
  const { state } = grant.status ?? {}
  return state === undefined || !isTerminal(state)
}
