import { randomUUID } from 'node:crypto'
import { AuditLog } from '../audit/audit-log.ts'
import { FileJournal } from '../audit/file-journal.ts'
import type { Journal } from '../audit/journal.ts'
import { StreamJournal } from '../audit/stream-journal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Config, OptionTable } from '../runtime/config.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { UsageError } from '../runtime/usage-error.ts'

export const auditOptions = {
  auditLog: { kind: 'string', default: '-', description: 'where audit records are written: a file, or - for stdout' },
} as const satisfies OptionTable

interface AuditParts {
  readonly config: Config<typeof auditOptions>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly version: string
  readonly identity: string
}

/** Throws UsageError when it is to go nowhere. */
export function checkAuditLog({ auditLog }: Config<typeof auditOptions>): void {
  if (['none', 'off', 'false', '/dev/null'].includes(auditLog))
    throw new UsageError('--audit-log cannot be turned off: nothing is issued without a record; - is stdout')
}

/** The audit log of a controller. */
export function createAuditLog({ config, clock, log, metrics, version, identity }: AuditParts): AuditLog {
  const audit = new AuditLog({
    journal: journalAt(config.auditLog),
    clock,
    log,
    writer: { process: 'controller', version, instance: identity },
    newChain: randomUUID,
  })
  const help = 'Whether audit records can be written; while they cannot, nothing is issued.'
  metrics.gauge('lapse_audit_writable', help, () => (audit.fails ? 0 : 1))
  return audit
}

function journalAt(path: string): Journal {
  if (path !== '-') return new FileJournal(path)
  const journal = new StreamJournal(process.stdout)
  journal.listen()
  return journal
}
