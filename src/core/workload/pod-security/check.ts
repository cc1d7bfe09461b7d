import type { Severity } from '../../finding.ts'
import type { Labels } from '../../selector.ts'
import type { Container, PodSpec } from '../pod-spec.ts'

export type PodSecurityCheckId =
  | 'host-namespaces'
  | 'privileged'
  | 'capabilities'
  | 'host-path'
  | 'host-ports'
  | 'host-probes'
  | 'app-armor'
  | 'se-linux'
  | 'proc-mount'
  | 'seccomp'
  | 'sysctls'
  | 'windows-host-process'
  | 'volume-types'
  | 'privilege-escalation'
  | 'run-as-non-root'
  | 'run-as-user'
  | 'capabilities-restricted'
  | 'seccomp-restricted'
  | 'proc-mount-restricted'

/** A pod as the checks see it: the parsed spec, and where its parts stand in the judged object. */
export interface JudgedPod {
  readonly spec: PodSpec
  /** Field path of the spec, `spec.template.spec`. */
  readonly path: string
  readonly annotations: Labels
  /** Field path of the pod's metadata, `spec.template.metadata`. */
  readonly metadataPath: string
  /** Init, main and ephemeral containers: every check holds for all three. */
  readonly containers: readonly LocatedContainer[]
}

export interface LocatedContainer {
  readonly container: Container
  readonly path: string
}

/** Takes one violation: the offending field and what is wrong with it, to be followed by `at level …`. */
export type Report = (path: string, wrong: string) => void

export type CheckPod = (pod: JudgedPod, report: Report) => void

/** One of the registered checks of Kubernetes' Pod Security admission. */
export interface PodSecurityCheck {
  readonly id: PodSecurityCheckId
  /** The lowest level at which it applies; restricted includes baseline. */
  readonly level: 'baseline' | 'restricted'
  readonly severity: Severity
  readonly title: string
  /** What it looks at, for the documentation. */
  readonly what: string
  readonly remedy: string
  /** The id of the check in k8s.io/pod-security-admission/policy. */
  readonly upstream: string
  /** Behaviour by the Kubernetes 1.x minor with which it began, ascending; before the first one the check does not exist. */
  readonly versions: readonly { readonly since: number; readonly check: CheckPod }[]
  /** The baseline check that this one replaces at level restricted, from its first version on. */
  readonly overrides?: PodSecurityCheckId
}

/** A value from the judged object as messages show it: one line, and no longer than a line bears. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > longestValue ? `${value.slice(0, longestValue)}…` : value)
}

const longestValue = 100

/** From 1.25 on, checks of Linux-only fields leave out pods that declare Windows: there those fields are invalid. */
export function exceptOnWindows(check: CheckPod): CheckPod {
  return (pod, report) => {
    if (pod.spec.os?.name !== 'windows') check(pod, report)
  }
}

/** From 1.35 on, some checks leave out pods in a user namespace: root there is nobody on the host (KEP-127). */
export function exceptInUserNamespace(check: CheckPod): CheckPod {
  return (pod, report) => {
    if (pod.spec.hostUsers !== false) check(pod, report)
  }
}

/**
 * Reports what neither the pod nor a container sets: once, at the pod, when no container sets it (one line there mends
 * them all), otherwise at each container that leaves it out.
 */
export function reportUnset(
  pod: JudgedPod,
  isSet: (container: Container) => boolean,
  wrong: string,
  report: Report,
): void {
  const unset = pod.containers.filter(({ container }) => !isSet(container))
  const places = unset.length === pod.containers.length ? [pod] : unset
  for (const { path } of places) report(`${path}.securityContext`, wrong)
}
