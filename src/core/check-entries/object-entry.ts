import type { EntryOf } from './entry.ts'

/** A check of an object as such; there is no policy that could leave it out. */
export function object<const Id extends string>(
  id: Id,
  code: string,
  title: string,
  what: string,
  remedy: string,
): EntryOf<Id> {
  return { id, code, title, what, severity: 'High', remedy, area: 'Object', references: [], waivable: false }
}
