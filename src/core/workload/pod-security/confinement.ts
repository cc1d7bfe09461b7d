import type { Profile, SELinuxOptions } from '../pod-spec.ts'
import {
  exceptOnWindows,
  quoted,
  reportUnset,
  type CheckPod,
  type JudgedPod,
  type PodSecurityCheck,
  type Report,
} from './check.ts'

export const appArmor: PodSecurityCheck = {
  id: 'app-armor',
  level: 'baseline',
  severity: 'Medium',
  title: 'Containers without an AppArmor profile',
  remedy: 'Use the AppArmor profile RuntimeDefault or Localhost, or set none',
  what: 'securityContext.appArmorProfile of the pod and of every container, and the older annotations.',
  upstream: 'appArmorProfile',
  versions: [
    {
      since: 0,
      check: (pod, report) => {
        reportProfile('AppArmor', pod.spec.securityContext?.appArmorProfile, pod.path, report)
        for (const { container, path } of pod.containers) {
          reportProfile('AppArmor', container.securityContext?.appArmorProfile, path, report)
        }
        reportAppArmorAnnotations(pod, report)
      },
    },
  ],
}

const appArmorAnnotationPrefix = 'container.apparmor.security.beta.kubernetes.io/'

/** The annotations of before 1.30, which the API server still carries over into the fields. */
function reportAppArmorAnnotations({ annotations, metadataPath }: JudgedPod, report: Report): void {
  for (const [key, profile] of Object.entries(annotations)) {
    if (!key.startsWith(appArmorAnnotationPrefix)) continue
    if (profile === '' || profile === 'runtime/default' || profile.startsWith('localhost/')) continue
    report(`${metadataPath}.annotations[${key}]`, `AppArmor profile ${quoted(profile)} is not allowed`)
  }
}

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

const seccompPodAnnotation = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompContainerAnnotationPrefix = 'container.seccomp.security.alpha.kubernetes.io/'

const seccompAnnotationsAllowed: CheckPod = (pod, report) => {
  reportSeccompAnnotation(pod, seccompPodAnnotation, report)
  const names = new Set(pod.containers.map(({ container }) => container.name ?? ''))
  for (const name of names) reportSeccompAnnotation(pod, seccompContainerAnnotationPrefix + name, report)
}

const seccompFieldsAllowed: CheckPod = (pod, report) => {
  reportProfile('seccomp', pod.spec.securityContext?.seccompProfile, pod.path, report)
  for (const { container, path } of pod.containers) {
    reportProfile('seccomp', container.securityContext?.seccompProfile, path, report)
  }
}

const seccompFieldsRequired: CheckPod = (pod, report) => {
  seccompFieldsAllowed(pod, report)
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
    { since: 0, check: seccompAnnotationsAllowed },
    { since: 19, check: seccompFieldsAllowed },
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
    { since: 19, check: seccompFieldsRequired },
    { since: 25, check: exceptOnWindows(seccompFieldsRequired) },
  ],
}

function isSet(profile: Profile | null | undefined): boolean {
  return profile !== null && profile !== undefined
}

function reportSeccompAnnotation({ annotations, metadataPath }: JudgedPod, key: string, report: Report): void {
  const profile = Object.hasOwn(annotations, key) ? annotations[key] : undefined
  if (profile === undefined || profile === 'runtime/default' || profile === 'docker/default') return
  if (profile.startsWith('localhost/')) return
  report(`${metadataPath}.annotations[${key}]`, `seccomp profile ${quoted(profile)} is not allowed`)
}

function reportProfile(
  kind: 'AppArmor' | 'seccomp',
  profile: Profile | null | undefined,
  path: string,
  report: Report,
): void {
  if (profile === null || profile === undefined) return
  const type = profile.type ?? ''
  if (type === 'RuntimeDefault' || type === 'Localhost') return
  const field = kind === 'AppArmor' ? 'appArmorProfile' : 'seccompProfile'
  report(`${path}.securityContext.${field}.type`, `${kind} profile ${quoted(type)} is not allowed`)
}
