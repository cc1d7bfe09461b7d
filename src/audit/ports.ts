import type { Evidence } from '../core/audit/record.ts'

/** Where evidence is put on record. */
export interface AuditSink {
  /** Resolves when all of it is on record, in this order and after all that was given before; rejects when any of it may not be. */
  write(evidence: readonly Evidence[]): Promise<void>
}
