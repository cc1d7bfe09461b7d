import { Gauge, type Registry } from 'prom-client'
import type { Millis } from '../core/time.ts'

export interface Scanned {
  readonly objects: number
  readonly findings: readonly {
    readonly policy: string
    readonly check: string
    readonly enforcement: string
    readonly count: number
  }[]
  readonly duration: Millis
}

/** Registers the metrics of scans; returns what takes in the outcome of each. */
export function scanMetrics(registry: Registry): (scanned: Scanned) => void {
  const registers = [registry]
  const findings = new Gauge({
    name: 'lapse_scan_findings',
    help: 'What the last scan found in stored objects.',
    labelNames: ['policy', 'check', 'enforcement'] as const,
    registers,
  })
  const objects = new Gauge({
    name: 'lapse_scan_objects',
    help: 'How many objects the last scan looked at.',
    registers,
  })
  const duration = new Gauge({ name: 'lapse_scan_duration_seconds', help: 'How long the last scan took.', registers })
  const ended = new Gauge({
    name: 'lapse_scan_last_success_timestamp_seconds',
    help: 'When the last scan ended without a failure; 0 before the first.',
    registers,
  })
  return (scanned) => {
    findings.reset()
    for (const { policy, check, enforcement, count } of scanned.findings)
      findings.set({ policy, check, enforcement }, count)
    objects.set(scanned.objects)
    duration.set(scanned.duration / 1_000)
    ended.setToCurrentTime()
  }
}
