import type { PodSecurityCheck } from './check.ts'

export const privileged: PodSecurityCheck = {
  id: 'privileged',
  level: 'baseline',
  severity: 'Critical',
  title: 'Containers with all the rights of root on the node',
  remedy: 'Remove privileged, and add only the capabilities that the container needs',
  what: 'securityContext.privileged of every container.',
  upstream: 'privileged',
  versions: [
    {
      since: 0,
      check: ({ containers }, report) => {
        for (const { container, path } of containers) {
          if (container.securityContext?.privileged === true) {
            report(`${path}.securityContext.privileged`, 'privileged: true is not allowed')
          }
        }
      },
    },
  ],
}
