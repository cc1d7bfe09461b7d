import { exceptInUserNamespace, reportUnset, type CheckPod, type PodSecurityCheck } from './check.ts'

const nonRootRequired: CheckPod = (pod, report) => {
  const ofPod = pod.spec.securityContext?.runAsNonRoot ?? null
  const places = [{ path: pod.path, nonRoot: ofPod }].concat(
    pod.containers.map(({ container, path }) => ({ path, nonRoot: container.securityContext?.runAsNonRoot ?? null })),
  )
  for (const { path, nonRoot } of places) {
    if (nonRoot === false) report(`${path}.securityContext.runAsNonRoot`, 'runAsNonRoot: false is not allowed')
  }
  if (ofPod !== null) return
  reportUnset(
    pod,
    ({ securityContext }) => (securityContext?.runAsNonRoot ?? null) !== null,
    'leaving runAsNonRoot unset is not allowed',
    report,
  )
}

const rootForbidden: CheckPod = (pod, report) => {
  if (pod.spec.securityContext?.runAsUser === 0) {
    report(`${pod.path}.securityContext.runAsUser`, 'runAsUser: 0 is not allowed')
  }
  for (const { container, path } of pod.containers) {
    if (container.securityContext?.runAsUser === 0) {
      report(`${path}.securityContext.runAsUser`, 'runAsUser: 0 is not allowed')
    }
  }
}

export const runAsNonRoot: PodSecurityCheck = {
  id: 'run-as-non-root',
  level: 'restricted',
  severity: 'Medium',
  title: 'Containers that may run as root',
  remedy: 'Set securityContext.runAsNonRoot of the pod to true, and build the image with a USER other than root',
  what: 'securityContext.runAsNonRoot of the pod and of every container; from version v1.35 on not of pods in a user namespace of their own.',
  upstream: 'runAsNonRoot',
  versions: [
    { since: 0, check: nonRootRequired },
    { since: 35, check: exceptInUserNamespace(nonRootRequired) },
  ],
}

export const runAsUser: PodSecurityCheck = {
  id: 'run-as-user',
  level: 'restricted',
  severity: 'Medium',
  title: 'Containers that run as root',
  remedy: 'Set runAsUser to a user id other than 0, or remove it',
  what: 'securityContext.runAsUser of the pod and of every container; from version v1.23 on, and from v1.35 on not of pods in a user namespace of their own.',
  upstream: 'runAsUser',
  versions: [
    { since: 23, check: rootForbidden },
    { since: 35, check: exceptInUserNamespace(rootForbidden) },
  ],
}
