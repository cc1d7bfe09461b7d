import type { PodSecurityCheck } from './check.ts'

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
