import { exceptOnWindows, type CheckPod, type PodSecurityCheck } from './check.ts'

const forbidden: CheckPod = ({ containers }, report) => {
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
    { since: 8, check: forbidden },
    { since: 25, check: exceptOnWindows(forbidden) },
  ],
}
