import { exceptInUserNamespace, quoted, type CheckPod, type PodSecurityCheck } from './check.ts'

const onlyDefault: CheckPod = ({ containers }, report) => {
  for (const { container, path } of containers) {
    const mount = container.securityContext?.procMount ?? 'Default'
    if (mount !== 'Default') report(`${path}.securityContext.procMount`, `procMount ${quoted(mount)} is not allowed`)
  }
}

const shared = {
  severity: 'Medium',
  title: 'Containers that see all of /proc',
  remedy: 'Remove procMount, and the runtime masks /proc as usual',
} as const

export const procMount: PodSecurityCheck = {
  ...shared,
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
  ...shared,
  id: 'proc-mount-restricted',
  level: 'restricted',
  title: 'Containers that see all of /proc, also in a user namespace',
  what: 'securityContext.procMount of every container, in a user namespace too; from version v1.35 on.',
  upstream: 'procMount_restricted',
  overrides: 'proc-mount',
  versions: [{ since: 35, check: onlyDefault }],
}
