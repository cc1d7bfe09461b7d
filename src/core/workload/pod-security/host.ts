import type { Handler, SecurityContext } from '../pod-spec.ts'
import { quoted, type PodSecurityCheck, type Report } from './check.ts'

export const hostNamespaces: PodSecurityCheck = {
  id: 'host-namespaces',
  level: 'baseline',
  severity: 'High',
  title: 'Sharing the network, processes or IPC of the node',
  remedy: 'Remove hostNetwork, hostPID and hostIPC',
  what: 'hostNetwork, hostPID and hostIPC of the pod.',
  upstream: 'hostNamespaces',
  versions: [
    {
      since: 0,
      check: ({ spec, path }, report) => {
        for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
          if (spec[field] === true) report(`${path}.${field}`, `${field}: true is not allowed`)
        }
      },
    },
  ],
}

export const hostPorts: PodSecurityCheck = {
  id: 'host-ports',
  level: 'baseline',
  severity: 'Medium',
  title: 'Ports of the node',
  remedy: 'Remove hostPort, and reach the container through a Service',
  what: 'ports[*].hostPort of every container.',
  upstream: 'hostPorts',
  versions: [
    {
      since: 0,
      check: ({ containers }, report) => {
        for (const { container, path } of containers) {
          container.ports?.forEach((port, index) => {
            const number = port.hostPort ?? 0
            if (number !== 0) report(`${path}.ports[${index}].hostPort`, `hostPort ${number} is not allowed`)
          })
        }
      },
    },
  ],
}

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

export const windowsHostProcess: PodSecurityCheck = {
  id: 'windows-host-process',
  level: 'baseline',
  severity: 'Critical',
  title: 'Windows containers that run as processes of the node',
  remedy: 'Remove windowsOptions.hostProcess',
  what: 'securityContext.windowsOptions.hostProcess of the pod and of every container.',
  upstream: 'windowsHostProcess',
  versions: [
    {
      since: 0,
      check: (pod, report) => {
        reportHostProcess(pod.spec.securityContext, pod.path, report)
        for (const { container, path } of pod.containers) reportHostProcess(container.securityContext, path, report)
      },
    },
  ],
}

function reportHostProcess(context: SecurityContext | null | undefined, path: string, report: Report): void {
  if (context?.windowsOptions?.hostProcess !== true) return
  report(`${path}.securityContext.windowsOptions.hostProcess`, 'hostProcess: true is not allowed')
}
