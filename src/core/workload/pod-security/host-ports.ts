import type { PodSecurityCheck } from './check.ts'

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
