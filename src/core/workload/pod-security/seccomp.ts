import type { Profile } from '../pod-spec.ts'
import { exceptOnWindows, quoted, type CheckPod, type JudgedPod, type PodSecurityCheck, type Report } from './check.ts'
import { reportUnset } from './unset.ts'

const podAnnotation = 'seccomp.security.alpha.kubernetes.io/pod'
const containerAnnotationPrefix = 'container.seccomp.security.alpha.kubernetes.io/'

const annotationsAllowed: CheckPod = (pod, report) => {
  reportAnnotation(pod, podAnnotation, report)
  const names = new Set(pod.containers.map(({ container }) => container.name ?? ''))
  for (const name of names) reportAnnotation(pod, containerAnnotationPrefix + name, report)
}

const fieldsAllowed: CheckPod = (pod, report) => {
  reportProfile(pod.spec.securityContext?.seccompProfile, pod.path, report)
  for (const { container, path } of pod.containers) {
    reportProfile(container.securityContext?.seccompProfile, path, report)
  }
}

const fieldsRequired: CheckPod = (pod, report) => {
  fieldsAllowed(pod, report)
  if (isSet(pod.spec.securityContext?.seccompProfile)) return
  reportUnset(
    pod,
    ({ securityContext }) => isSet(securityContext?.seccompProfile),
    'leaving seccompProfile unset is not allowed',
    report,
  )
}

export const seccomp: PodSecurityCheck = {
  id: 'seccomp',
  level: 'baseline',
  severity: 'Medium',
  title: 'Containers without seccomp',
  remedy: 'Use the seccomp profile RuntimeDefault or Localhost, or set none',
  what: 'securityContext.seccompProfile of the pod and of every container; before version v1.19 the annotations.',
  upstream: 'seccompProfile_baseline',
  versions: [
    { since: 0, check: annotationsAllowed },
    { since: 19, check: fieldsAllowed },
  ],
}

export const seccompRestricted: PodSecurityCheck = {
  id: 'seccomp-restricted',
  level: 'restricted',
  severity: 'Medium',
  title: 'Containers that do not ask for seccomp',
  remedy: 'Set securityContext.seccompProfile.type of the pod to RuntimeDefault',
  what: 'securityContext.seccompProfile of the pod and of every container: one of the two must be set; from version v1.19 on, and from v1.25 on not of Windows pods.',
  upstream: 'seccompProfile_restricted',
  overrides: 'seccomp',
  versions: [
    { since: 19, check: fieldsRequired },
    { since: 25, check: exceptOnWindows(fieldsRequired) },
  ],
}

function isSet(profile: Profile | null | undefined): boolean {
  return profile !== null && profile !== undefined
}

function reportProfile(profile: Profile | null | undefined, path: string, report: Report): void {
  if (profile === null || profile === undefined) return
  const type = profile.type ?? ''
  if (type === 'RuntimeDefault' || type === 'Localhost') return
  report(`${path}.securityContext.seccompProfile.type`, `seccomp profile ${quoted(type)} is not allowed`)
}

function reportAnnotation({ annotations, metadataPath }: JudgedPod, key: string, report: Report): void {
  const profile = Object.hasOwn(annotations, key) ? annotations[key] : undefined
  if (profile === undefined || profile === 'runtime/default' || profile === 'docker/default') return
  if (profile.startsWith('localhost/')) return
  report(`${metadataPath}.annotations[${key}]`, `seccomp profile ${quoted(profile)} is not allowed`)
}
