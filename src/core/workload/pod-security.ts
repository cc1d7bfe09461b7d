import type { Finding } from '../finding.ts'
import type { Labels } from '../selector.ts'
import { forEachContainer, metadataPathOf, type PodSpec } from './pod-spec.ts'
import type { CheckPod, JudgedPod, LocatedContainer, PodSecurityCheck } from './pod-security/check.ts'
import { hostNamespaces, hostPorts, hostProbes, windowsHostProcess } from './pod-security/host.ts'
import { procMount, procMountRestricted, sysctls } from './pod-security/kernel.ts'
import { capabilities, capabilitiesRestricted, privileged, privilegeEscalation } from './pod-security/privileges.ts'
import { runAsNonRoot, runAsUser } from './pod-security/run-as-user.ts'
import { appArmor, seLinux, seccomp, seccompRestricted } from './pod-security/confinement.ts'
import { hostPath, volumeTypes } from './pod-security/volumes.ts'

/** A level of the Kubernetes Pod Security Standards, from allowing everything to allowing the least. */
export type PodSecurityLevel = 'privileged' | 'baseline' | 'restricted'

/**
 * Every registered check of k8s.io/pod-security-admission as of Kubernetes 1.36, in the order of the findings. All hold for
 * init, main and ephemeral containers, also where the standard's prose leaves the last ones out.
 */
export const podSecurityChecks: readonly PodSecurityCheck[] = [
  hostNamespaces,
  privileged,
  capabilities,
  hostPath,
  hostPorts,
  hostProbes,
  appArmor,
  seLinux,
  procMount,
  seccomp,
  sysctls,
  windowsHostProcess,
  volumeTypes,
  privilegeEscalation,
  runAsNonRoot,
  runAsUser,
  capabilitiesRestricted,
  seccompRestricted,
  procMountRestricted,
]

/** The minor of Kubernetes 1.x whose checks these are; `latest` and whatever is newer mean this one. */
const newestMinor = 36

/** A check in the form that it has in one version. */
interface ActiveCheck {
  readonly definition: PodSecurityCheck
  readonly check: CheckPod
}

const activeChecks = {
  baseline: byMinor((minor) => activeAt('baseline', minor)),
  restricted: byMinor((minor) => {
    const own = activeAt('restricted', minor)
    const overridden = new Set(own.map(({ definition }) => definition.overrides))
    return activeAt('baseline', minor)
      .filter(({ definition }) => !overridden.has(definition.id))
      .concat(own)
  }),
}

/**
 * What keeps a pod below that level of the Pod Security Standards, one finding per offending field; empty: it meets the
 * level. `version` is `latest` or `v1.Y`; anything else is taken for `latest`. `path` is the field path of the spec.
 */
export function checkPodSecurity(
  pod: { readonly spec: PodSpec; readonly annotations: Labels },
  level: PodSecurityLevel,
  version: string,
  path: string,
): readonly Finding[] {
  if (level === 'privileged') return []
  const findings: Finding[] = []
  const judged = locate(pod.spec, pod.annotations, path)
  for (const { definition, check } of activeChecks[level](minorOf(version))) {
    check(judged, (at, wrong) => {
      const { id, severity, remedy } = definition
      findings.push({ check: id, severity, path: at, message: `${wrong} at level ${level}`, remedy })
    })
  }
  return findings
}

function locate(spec: PodSpec, annotations: Labels, path: string): JudgedPod {
  const containers: LocatedContainer[] = []
  forEachContainer(spec, path, (container, at) => containers.push({ container, path: at }))
  return { spec, path, annotations, metadataPath: metadataPathOf(path), containers }
}

function minorOf(version: string): number {
  const minor = /^v1\.(\d+)$/.exec(version)?.[1]
  return minor === undefined ? newestMinor : Math.min(Number(minor), newestMinor)
}

/** Each version's checks are found when first asked for: few of all versions are. */
function byMinor(checksOf: (minor: number) => readonly ActiveCheck[]): (minor: number) => readonly ActiveCheck[] {
  const found = new Map<number, readonly ActiveCheck[]>()
  return (minor) => {
    const checks = found.get(minor) ?? checksOf(minor)
    found.set(minor, checks)
    return checks
  }
}

function activeAt(level: PodSecurityCheck['level'], minor: number): readonly ActiveCheck[] {
  return podSecurityChecks
    .filter((definition) => definition.level === level)
    .flatMap((definition) => {
      const current = definition.versions.findLast(({ since }) => since <= minor)
      return current === undefined ? [] : [{ definition, check: current.check }]
    })
}
