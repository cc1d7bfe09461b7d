import type { Finding, Severity } from '../finding.ts'
import type { Identity } from '../identity.ts'
import { foreignPins, pinAnnotation, reviewPin } from '../policy/pin.ts'
import { governingPolicies } from '../policy/select.ts'
import type { Enforcement, Policy } from '../policy/policy.ts'
import { capabilityFindings } from '../rbac/capability-findings.ts'
import { memoHeldCapabilities } from '../rbac/held-memo.ts'
import { rbacUserOf } from '../rbac/subject.ts'
import type { Instant } from '../time.ts'
import type { World } from '../world.ts'
import { checkPodSecurity } from './pod-security.ts'
import { tokenReachable } from './token.ts'
import type { Workload } from './workload.ts'

/** A finding, and the policy that makes it one. */
export interface PolicyFinding extends Finding {
  readonly enforcement: Enforcement
  readonly policy: Pick<Policy, 'name' | 'version' | 'owner'>
}

/** Ungoverned: no policy that judges workloads selects the ServiceAccount. */
export type Verdict = 'Allow' | 'Warn' | 'Audit' | 'Deny' | 'Ungoverned'

export interface WorkloadVerdict {
  readonly verdict: Verdict
  readonly findings: readonly PolicyFinding[]
}

/**
 * What every policy that governs the workload's ServiceAccount says of it; the strictest wins. `namespace` is where it
 * will run. The world must know the ServiceAccount and the namespace if they exist: an unknown one is selected by no label.
 */
export function reviewWorkload(workload: Workload, namespace: string, world: World, now: Instant): WorkloadVerdict {
  const identity: Identity = { kind: 'ServiceAccount', namespace, name: workload.serviceAccountName }
  const policies = governingPolicies(identity, world).filter((policy) => policy.workloads !== null)
  if (policies.length === 0) return { verdict: 'Ungoverned', findings: [] }
  const findings = policies.flatMap((policy) =>
    [
      ...reviewPodSecurity(workload, policy),
      ...reviewCapabilities(workload, identity, policy, world),
      ...reviewPins(workload, policy, policies, world, now),
    ].map((finding) => underPolicy(finding, policy)),
  )
  return { verdict: verdictOf(findings), findings: strictestOnce(findings) }
}

function reviewPodSecurity(workload: Workload, policy: Policy): readonly Finding[] {
  const standard = policy.workloads?.podSecurity ?? null
  if (standard === null) return []
  const pod = { spec: workload.pod, annotations: workload.annotations }
  return checkPodSecurity(pod, standard.level, standard.version, workload.podPath)
}

function reviewCapabilities(workload: Workload, identity: Identity, policy: Policy, world: World): readonly Finding[] {
  const forbidden = policy.workloads?.forbid ?? []
  if (forbidden.length === 0 || identity.kind !== 'ServiceAccount') return []
  const account = world.serviceAccount(identity.namespace, identity.name)
  if (!tokenReachable(workload.pod, account?.automount ?? null).reachable) return []
  const held = memoHeldCapabilities(rbacUserOf(identity), forbidden, world.rbac, {
    ignoreBindings: world.grantBindings(),
  })
  return capabilityFindings(identity, held, `${workload.podPath}.serviceAccountName`)
}

function reviewPins(
  workload: Workload,
  policy: Policy,
  governing: readonly Policy[],
  world: World,
  now: Instant,
): readonly Finding[] {
  const annotation = Object.hasOwn(workload.annotations, pinAnnotation)
    ? workload.annotations[pinAnnotation]
    : undefined
  const path = `${workload.templateMetadataPath}.annotations["${pinAnnotation}"]`
  const own = reviewPin(policy, annotation, path, world, now)
  return [...(own === null ? [] : [own]), ...foreignPins(annotation, governing, path)]
}

function underPolicy(finding: Finding, policy: Policy): PolicyFinding {
  return {
    ...finding,
    enforcement: policy.workloads?.enforcement ?? 'Deny',
    policy: { name: policy.name, version: policy.version, owner: policy.owner },
  }
}

const strictness: Readonly<Record<Enforcement, number>> = { Deny: 3, Warn: 2, Audit: 1 }
const severities: readonly Severity[] = ['Critical', 'High', 'Medium', 'Low', 'Info']

function verdictOf(findings: readonly PolicyFinding[]): Verdict {
  const strictest = [...findings].sort((a, b) => strictness[b.enforcement] - strictness[a.enforcement])[0]
  return strictest?.enforcement ?? 'Allow'
}

/** The same breach under two policies is told once, by the stricter one; worst first, then in order of the fields. */
function strictestOnce(findings: readonly PolicyFinding[]): readonly PolicyFinding[] {
  const kept = new Map<string, PolicyFinding>()
  for (const finding of findings) {
    const key = `${finding.check} ${finding.path} ${finding.message}`
    const other = kept.get(key)
    if (other === undefined || strictness[finding.enforcement] > strictness[other.enforcement]) kept.set(key, finding)
  }
  const rank = (finding: PolicyFinding): number =>
    (3 - strictness[finding.enforcement]) * severities.length + severities.indexOf(finding.severity)
  return [...kept.values()].sort((a, b) => rank(a) - rank(b))
}
