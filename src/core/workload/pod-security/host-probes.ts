import type { Handler } from '../pod-spec.ts'
import { quoted, type PodSecurityCheck, type Report } from './check.ts'

export const hostProbes: PodSecurityCheck = {
  id: 'host-probes',
  level: 'baseline',
  severity: 'Medium',
  title: 'Probes and lifecycle hooks that make the kubelet call another host',
  remedy: 'Remove host, and the kubelet calls the pod itself',
  what: 'The field host of probes and lifecycle hooks of every container; from version v1.34 on.',
  upstream: 'hostProbesAndHostLifecycle',
  versions: [
    {
      since: 34,
      check: ({ containers }, report) => {
        for (const { container, path } of containers) {
          for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
            reportHosts(container[probe], path, probe, report)
          }
          for (const hook of ['postStart', 'preStop'] as const) {
            reportHosts(container.lifecycle?.[hook], path, `lifecycle.${hook}`, report)
          }
        }
      },
    },
  ],
}

function reportHosts(handler: Handler | null | undefined, path: string, field: string, report: Report): void {
  if (handler === null || handler === undefined) return
  for (const action of ['httpGet', 'tcpSocket'] as const) {
    const host = handler[action]?.host ?? ''
    if (host !== '') report(`${path}.${field}.${action}.host`, `host ${quoted(host)} in ${field} is not allowed`)
  }
}
