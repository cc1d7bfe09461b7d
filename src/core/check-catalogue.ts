import { accessEntries } from './check-entries/access.ts'
import { conditionEntries } from './check-entries/condition.ts'
import type { EntryOf } from './check-entries/entry.ts'
import { escalationEntries } from './check-entries/escalation.ts'
import { hostEntries } from './check-entries/host.ts'
import { objectEntries } from './check-entries/object.ts'
import { pinEntries } from './check-entries/pin.ts'
import { standingEntries } from './check-entries/standing.ts'
import { tokenEntries } from './check-entries/token.ts'
import type { CapabilityId } from './rbac/capability.ts'
import type { PodSecurityCheckId } from './workload/pod-security/check.ts'

/** Entries of checks that have no file of their own under check-entries. */
const furtherEntries = [] as const satisfies readonly EntryOf<string>[]

const written = [
  ...pinEntries,
  ...tokenEntries,
  ...objectEntries,
  ...standingEntries,
  ...conditionEntries,
  ...escalationEntries,
  ...furtherEntries,
] as const

/** Every id that a finding can carry. */
export type CheckId = PodSecurityCheckId | CapabilityId | (typeof written)[number]['id']

export type CheckEntry = EntryOf<CheckId>

/** Every check, in order of the codes. */
export const checkEntries: readonly CheckEntry[] = [...hostEntries, ...accessEntries, ...written].sort((a, b) =>
  a.code < b.code ? -1 : 1,
)

const byId: ReadonlyMap<string, CheckEntry> = new Map(checkEntries.map((entry) => [entry.id, entry]))

/** null: no check has that id. */
export function checkEntry(id: string): CheckEntry | null {
  return byId.get(id) ?? null
}
