import * as fc from 'fast-check'
import type { PodSecurityCheckId } from '../../src/core/workload/pod-security/check.ts'
import { checkPodSecurity, type PodSecurityLevel } from '../../src/core/workload/pod-security.ts'
import { readPodSpec } from '../../src/core/workload/read-pod-spec.ts'
import { comparison } from './oracle-comparison.ts'
import { podSecurityVersions, pods } from './pod-arbitraries.ts'

const levels: readonly PodSecurityLevel[] = ['privileged', 'baseline', 'restricted']

/** The reason by which Kubernetes' evaluator reports each check. */
export const podSecurityReasons: Readonly<Record<PodSecurityCheckId, string>> = {
  'host-namespaces': 'host namespaces',
  privileged: 'privileged',
  capabilities: 'non-default capabilities',
  'host-path': 'hostPath volumes',
  'host-ports': 'hostPort',
  'host-probes': 'probe or lifecycle host',
  'app-armor': 'forbidden AppArmor profile',
  'se-linux': 'seLinuxOptions',
  'proc-mount': 'procMount',
  seccomp: 'seccompProfile',
  sysctls: 'forbidden sysctls',
  'windows-host-process': 'hostProcess',
  'volume-types': 'restricted volume types',
  'privilege-escalation': 'allowPrivilegeEscalation != false',
  'run-as-non-root': 'runAsNonRoot != true',
  'run-as-user': 'runAsUser=0',
  'capabilities-restricted': 'unrestricted capabilities',
  'seccomp-restricted': 'seccompProfile',
  'proc-mount-restricted': 'procMount',
}

/** Pods at every level and any version, down to the checks that each breaks. */
export const podSecurity = comparison({
  name: 'pod-security',
  unit: 'pods at 3 levels each',
  topic: 'pod-security',
  cases: fc.record({ pod: pods, version: podSecurityVersions }),
  input: ({ pod, version }) => ({ ...pod, version, levels }),
  ours: ({ pod, version }) => levels.map((level) => reasonsOf(violations(pod, level, version), level)),
  theirs: (output) => (output as readonly (readonly string[])[]).map((all) => sorted(all.map(singular))),
  verdicts: (answers) =>
    answers.flatMap((reasons, level) => (reasons.length > 0 ? reasons : [`nothing at ${levels[level]}`])),
})

interface GeneratedPod {
  readonly spec: object
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
}

function violations({ spec, metadata }: GeneratedPod, level: PodSecurityLevel, version: string) {
  const reading = readPodSpec(spec, 'spec')
  if (!reading.ok) throw new Error(`Kubernetes reads what we do not: ${JSON.stringify(reading.problems)}`)
  const findings = checkPodSecurity({ spec: reading.spec, annotations: metadata.annotations }, level, version, 'spec')
  return findings.map(({ check }) => check as PodSecurityCheckId)
}

/** At restricted, Kubernetes reports a hostPath as one of the restricted volume types. */
function reasonsOf(ids: readonly PodSecurityCheckId[], level: PodSecurityLevel): readonly string[] {
  return sorted(ids.map((id) => podSecurityReasons[id === 'host-path' && level === 'restricted' ? 'volume-types' : id]))
}

function singular(reason: string): string {
  return reason === 'forbidden AppArmor profiles' ? 'forbidden AppArmor profile' : reason
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort()
}
