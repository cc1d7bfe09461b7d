import type { CheckId } from './check-catalogue.ts'
import { capabilityIds } from './rbac/capability.ts'
import { podSecurityChecks } from './workload/pod-security.ts'
import { tokenCheckIds } from './workload/token-check-ids.ts'

/**
 * What a grant may waive, as far as the policy that it is under lists it: what judges a workload by itself, and neither what
 * guards nor conditions, which one id would waive all at once. Kept apart from the catalogue, whose texts no decision needs.
 */
export const waivableChecks: readonly CheckId[] = [
  ...podSecurityChecks.map(({ id }) => id),
  ...tokenCheckIds,
  'long-lived-token',
  ...capabilityIds,
  'escalation',
]
