import type { SELinuxOptions } from '../pod-spec.ts'
import { quoted, type CheckPod, type PodSecurityCheck, type Report } from './check.ts'

const containerTypes = ['', 'container_t', 'container_init_t', 'container_kvm_t']

export const seLinux: PodSecurityCheck = {
  id: 'se-linux',
  level: 'baseline',
  severity: 'Medium',
  title: 'SELinux labels that confine less than those of containers',
  remedy: 'Remove user and role from seLinuxOptions, and use a container type such as container_t',
  what: 'securityContext.seLinuxOptions of the pod and of every container: type must be a container type, user and role unset.',
  upstream: 'seLinuxOptions',
  versions: [
    { since: 0, check: onlyTypes(new Set(containerTypes)) },
    { since: 31, check: onlyTypes(new Set([...containerTypes, 'container_engine_t'])) },
  ],
}

function onlyTypes(allowed: ReadonlySet<string>): CheckPod {
  return (pod, report) => {
    reportOptions(pod.spec.securityContext?.seLinuxOptions, pod.path, allowed, report)
    for (const { container, path } of pod.containers) {
      reportOptions(container.securityContext?.seLinuxOptions, path, allowed, report)
    }
  }
}

function reportOptions(
  options: SELinuxOptions | null | undefined,
  path: string,
  allowedTypes: ReadonlySet<string>,
  report: Report,
): void {
  if (options === null || options === undefined) return
  const type = options.type ?? ''
  const base = `${path}.securityContext.seLinuxOptions`
  if (!allowedTypes.has(type)) report(`${base}.type`, `SELinux type ${quoted(type)} is not allowed`)
  for (const field of ['user', 'role'] as const) {
    const value = options[field] ?? ''
    if (value !== '') report(`${base}.${field}`, `SELinux ${field} ${quoted(value)} is not allowed`)
  }
}
