import { recordForm, recordMark, type AuditEntry, type AuditRecord, type Tip } from './record.ts'

/** `sha256:…` over the canonical form of a value. */
export type Digest = (value: unknown) => string

/** Entries as the next records of a chain. tip null: they begin the chain of this name. */
export function chained(
  entries: readonly AuditEntry[],
  { chain, tip, digest }: { readonly chain: string; readonly tip: Tip | null; readonly digest: Digest },
): readonly AuditRecord[] {
  let { sequence, hash: previous }: { sequence: number; hash: string | null } = tip ?? { sequence: -1, hash: null }
  return entries.map((entry) => {
    sequence += 1
    const { kind, time, ...rest } = wellFormed(entry) as AuditEntry
    const unsealed = { [recordMark]: recordForm, time, kind, chain, sequence, ...rest, previous }
    previous = digest(unsealed)
    return { ...unsealed, hash: previous } as unknown as AuditRecord
  })
}

/** The record that a text is; null: it is none. Says nothing of its hash. */
export function readRecord(text: string): AuditRecord | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const record = value as Partial<AuditRecord>
  const isRecord =
    record[recordMark] === recordForm &&
    typeof record.kind === 'string' &&
    typeof record.time === 'string' &&
    typeof record.chain === 'string' &&
    Number.isSafeInteger(record.sequence) &&
    (record.previous === null || typeof record.previous === 'string') &&
    typeof record.hash === 'string'
  return isRecord ? (value as AuditRecord) : null
}

/** The hash that a record must have; null: it holds what no digest is defined for. */
export function hashOf(record: AuditRecord, digest: Digest): string | null {
  const { hash: _, ...unsealed } = record
  try {
    return digest(unsealed)
  } catch {
    return null
  }
}

/** Half a character has no canonical form: in its place stands U+FFFD, so that no text can keep records from being written. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(wellFormed)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, wellFormed(field)]))
}
