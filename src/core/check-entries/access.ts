import { capabilityCatalogue } from '../rbac/capability-catalogue.ts'
import { capabilityIds, type CapabilityId } from '../rbac/capability.ts'
import type { EntryOf } from './entry.ts'

/** The capabilities of `workloads.forbid`. */
export const accessEntries: readonly EntryOf<CapabilityId>[] = capabilityIds.map((id) => {
  const { code, title, what, severity, remedy, references } = capabilityCatalogue[id]
  return { id, code, title, what, severity, remedy, area: 'Access', references, waivable: true }
})
