import type { SecurityContext } from '../pod-spec.ts'
import type { PodSecurityCheck, Report } from './check.ts'

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
