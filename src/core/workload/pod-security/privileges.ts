import {
  exceptOnWindows,
  quoted,
  type CheckPod,
  type LocatedContainer,
  type PodSecurityCheck,
  type Report,
} from './check.ts'

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

const escalationForbidden: CheckPod = ({ containers }, report) => {
  for (const { container, path } of containers) {
    const allowed = container.securityContext?.allowPrivilegeEscalation ?? null
    if (allowed === false) continue
    const wrong = allowed === null ? 'leaving allowPrivilegeEscalation unset' : 'allowPrivilegeEscalation: true'
    report(`${path}.securityContext.allowPrivilegeEscalation`, `${wrong} is not allowed`)
  }
}

export const privilegeEscalation: PodSecurityCheck = {
  id: 'privilege-escalation',
  level: 'restricted',
  severity: 'Medium',
  title: 'Containers whose processes can gain rights, as by set-user-ID programs',
  remedy: 'Set securityContext.allowPrivilegeEscalation of the container to false',
  what: 'securityContext.allowPrivilegeEscalation of every container; from version v1.25 on not of Windows pods.',
  upstream: 'allowPrivilegeEscalation',
  versions: [
    { since: 8, check: escalationForbidden },
    { since: 25, check: exceptOnWindows(escalationForbidden) },
  ],
}

const allowedAtBaseline: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const allowedAtRestricted: ReadonlySet<string> = new Set(['NET_BIND_SERVICE'])

export const capabilities: PodSecurityCheck = {
  id: 'capabilities',
  level: 'baseline',
  severity: 'High',
  title: 'Capabilities beyond the default set of the container runtime',
  remedy: 'Remove the capability from capabilities.add',
  what: 'securityContext.capabilities.add of every container: only what container runtimes give anyway.',
  upstream: 'capabilities_baseline',
  versions: [
    {
      since: 0,
      check: ({ containers }, report) => {
        for (const located of containers) reportAdded(located, allowedAtBaseline, report)
      },
    },
  ],
}

const dropAllAddAlmostNone: CheckPod = ({ containers }, report) => {
  for (const located of containers) {
    const { container, path } = located
    if (container.securityContext?.capabilities?.drop?.includes('ALL') !== true) {
      report(`${path}.securityContext.capabilities.drop`, 'capabilities.drop without ALL is not allowed')
    }
    reportAdded(located, allowedAtRestricted, report)
  }
}

export const capabilitiesRestricted: PodSecurityCheck = {
  id: 'capabilities-restricted',
  level: 'restricted',
  severity: 'Medium',
  title: 'Containers that keep capabilities other than NET_BIND_SERVICE',
  remedy: 'Set capabilities.drop to ["ALL"], and add nothing but NET_BIND_SERVICE',
  what: 'securityContext.capabilities of every container: drop must name ALL, add nothing but NET_BIND_SERVICE; from version v1.22 on, and from v1.25 on not of Windows pods.',
  upstream: 'capabilities_restricted',
  overrides: 'capabilities',
  versions: [
    { since: 22, check: dropAllAddAlmostNone },
    { since: 25, check: exceptOnWindows(dropAllAddAlmostNone) },
  ],
}

function reportAdded({ container, path }: LocatedContainer, allowed: ReadonlySet<string>, report: Report): void {
  container.securityContext?.capabilities?.add?.forEach((capability, index) => {
    if (!allowed.has(capability)) {
      report(
        `${path}.securityContext.capabilities.add[${index}]`,
        `adding capability ${quoted(capability)} is not allowed`,
      )
    }
  })
}
