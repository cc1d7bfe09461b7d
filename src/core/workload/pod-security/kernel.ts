import { exceptInUserNamespace, quoted, type CheckPod, type PodSecurityCheck } from './check.ts'

const onlyDefault: CheckPod = ({ containers }, report) => {
  for (const { container, path } of containers) {
    const mount = container.securityContext?.procMount ?? 'Default'
    if (mount !== 'Default') report(`${path}.securityContext.procMount`, `procMount ${quoted(mount)} is not allowed`)
  }
}

const sharedByProcMounts = {
  severity: 'Medium',
  title: 'Containers that see all of /proc',
  remedy: 'Remove procMount, and the runtime masks /proc as usual',
} as const

export const procMount: PodSecurityCheck = {
  ...sharedByProcMounts,
  id: 'proc-mount',
  level: 'baseline',
  what: 'securityContext.procMount of every container; from version v1.35 on not of pods in a user namespace of their own.',
  upstream: 'procMount',
  versions: [
    { since: 0, check: onlyDefault },
    { since: 35, check: exceptInUserNamespace(onlyDefault) },
  ],
}

export const procMountRestricted: PodSecurityCheck = {
  ...sharedByProcMounts,
  id: 'proc-mount-restricted',
  level: 'restricted',
  title: 'Containers that see all of /proc, also in a user namespace',
  what: 'securityContext.procMount of every container, in a user namespace too; from version v1.35 on.',
  upstream: 'procMount_restricted',
  overrides: 'proc-mount',
  versions: [{ since: 35, check: onlyDefault }],
}

const safe = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]
const safeSince27 = [...safe, 'net.ipv4.ip_local_reserved_ports']
const safeSince29 = [
  ...safeSince27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
]
const safeSince32 = [...safeSince29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

export const sysctls: PodSecurityCheck = {
  id: 'sysctls',
  level: 'baseline',
  severity: 'Medium',
  title: 'Kernel settings that reach beyond the pod',
  remedy: 'Remove the sysctl, or use one that Kubernetes counts as safe',
  what: 'securityContext.sysctls of the pod: only those that Kubernetes counts as safe in the version.',
  upstream: 'sysctls',
  versions: [
    { since: 0, check: only(safe) },
    { since: 27, check: only(safeSince27) },
    { since: 29, check: only(safeSince29) },
    { since: 32, check: only(safeSince32) },
  ],
}

function only(names: readonly string[]): CheckPod {
  const allowed = new Set(names)
  return ({ spec, path }, report) =>
    spec.securityContext?.sysctls?.forEach((sysctl, index) => {
      const name = sysctl.name ?? ''
      if (allowed.has(name)) return
      report(`${path}.securityContext.sysctls[${index}].name`, `sysctl ${quoted(name)} is not allowed`)
    })
}
