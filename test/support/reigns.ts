import type { AuditEvent } from './audit-log.ts'

/** Who wrote, in the order in which the API server received it; each once for as long as nobody else wrote in between. */
export function reigns(writes: readonly AuditEvent[], writer: (event: AuditEvent) => string): readonly string[] {
  return inOrder(writes)
    .map(writer)
    .filter((name, index, all) => index === 0 || name !== all[index - 1])
}

/** Pairs of writes of two writers of which the later had begun before the earlier was done. */
export function overlaps(writes: readonly AuditEvent[], writer: (event: AuditEvent) => string): readonly string[] {
  const found: string[] = []
  let latest: AuditEvent | null = null
  for (const write of inOrder(writes)) {
    if (latest !== null && writer(latest) !== writer(write) && latest.stageTimestamp > write.requestReceivedTimestamp)
      found.push(`${writer(write)} at ${write.requestReceivedTimestamp}, ${writer(latest)} was not done`)
    if (latest === null || write.stageTimestamp > latest.stageTimestamp) latest = write
  }
  return found
}

function inOrder(events: readonly AuditEvent[]): readonly AuditEvent[] {
  return events.toSorted((a, b) => (a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1))
}
