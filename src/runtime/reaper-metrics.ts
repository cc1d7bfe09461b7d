import { Counter, type Registry } from 'prom-client'

export interface Reaped {
  readonly kind: string
  /** How its end was known: Written, Limit, Unreadable. */
  readonly end: string
}

/** Registers what counts the bindings that a reaper has removed; returns what takes in each. */
export function reaperMetrics(registry: Registry): (reaped: Reaped) => void {
  const removed = new Counter({
    name: 'lapse_reaped_total',
    help: 'Bindings past their end that this process has removed, by kind and by how their end was known.',
    labelNames: ['kind', 'end'] as const,
    registers: [registry],
  })
  return ({ kind, end }) => removed.inc({ kind, end })
}
