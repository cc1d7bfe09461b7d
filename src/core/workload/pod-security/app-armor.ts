import type { Profile } from '../pod-spec.ts'
import { quoted, type JudgedPod, type PodSecurityCheck, type Report } from './check.ts'

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
        reportProfile(pod.spec.securityContext?.appArmorProfile, pod.path, report)
        for (const { container, path } of pod.containers) {
          reportProfile(container.securityContext?.appArmorProfile, path, report)
        }
        reportAnnotations(pod, report)
      },
    },
  ],
}

const annotationPrefix = 'container.apparmor.security.beta.kubernetes.io/'

function reportProfile(profile: Profile | null | undefined, path: string, report: Report): void {
  if (profile === null || profile === undefined) return
  const type = profile.type ?? ''
  if (type === 'RuntimeDefault' || type === 'Localhost') return
  report(`${path}.securityContext.appArmorProfile.type`, `AppArmor profile ${quoted(type)} is not allowed`)
}

/** The annotations of before 1.30, which the API server still carries over into the fields. */
function reportAnnotations({ annotations, metadataPath }: JudgedPod, report: Report): void {
  for (const [key, profile] of Object.entries(annotations)) {
    if (!key.startsWith(annotationPrefix)) continue
    if (profile === '' || profile === 'runtime/default' || profile.startsWith('localhost/')) continue
    report(`${metadataPath}.annotations[${key}]`, `AppArmor profile ${quoted(profile)} is not allowed`)
  }
}
