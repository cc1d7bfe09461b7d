import { isDeepStrictEqual } from 'node:util'

/** Whether two values are one to the API server, which keeps no empty lists and no fields that are undefined. */
export function isSameContent(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(kept(a), kept(b))
}

function kept(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(kept)
  if (typeof value !== 'object' || value === null) return value ?? null
  const fields = Object.entries(value).map(([name, field]) => [name, kept(field)] as const)
  return Object.fromEntries(fields.filter(([, field]) => field !== null))
}
