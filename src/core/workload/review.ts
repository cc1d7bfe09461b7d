import type { Finding, Severity } from '../finding.ts'
import type { Identity } from '../identity.ts'
import { foreignPins, pinAnnotation, reviewPin } from '../policy/pin.ts'
import { governingPolicies } from '../policy/select.ts'
import type { Enforcement, Policy, WorkloadTerms } from '../policy/policy.ts'
import { capabilityFindings } from '../rbac/capability-findings.ts'
import type { CapabilityId } from '../rbac/capability.ts'
import { memoHeldCapabilities } from '../rbac/held-capabilities.ts'
import { rbacUserOf } from '../rbac/subject.ts'
import type { Instant } from '../time.ts'
import type { World } from '../world.ts'
import { defaultedPod } from './defaulted-pod.ts'
import { escalationFindings } from './escalation.ts'
import { reviewConditions, type JudgedObject } from './conditions.ts'
import { checkPodSecurity, type PodSecurityLevel } from './pod-security.ts'
import { reviewTokens } from './token-checks.ts'
import { tokenReachable } from './token.ts'
import { replacedBy, waiversOf, waivesNothing, type FindWaiver, type Waiver } from './waivers.ts'
import type { Workload } from './workload.ts'

/** A finding, and the policy that makes it one. */
export interface PolicyFinding extends Finding {
  readonly enforcement: Enforcement
  readonly policy: Pick<Policy, 'name' | 'version' | 'owner'>
  /** The grant under that policy by which it does not count; absent: it counts. */
  readonly waivedBy?: Waiver
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
 * `judged` is the object that the workload was read from; without it no condition holds.
 */
export function reviewWorkload(
  workload: Workload,
  namespace: string,
  world: World,
  now: Instant,
  judged: JudgedObject | null = null,
): WorkloadVerdict {
  const identity = { kind: 'ServiceAccount', namespace, name: workload.serviceAccountName } as const
  const policies = governingPolicies(identity, world).filter((policy) => policy.workloads !== null)
  if (policies.length === 0) return { verdict: 'Ungoverned', findings: [] }
  const podSecurity = podSecurityOf(workload)
  const capabilities = capabilitiesOf(workload, identity, world)
  const tokens = rememberedBy(tokenTerms, (terms: WorkloadTerms) => reviewTokens(workload, identity, terms, world))
  const pins = pinsOf(workload, policies, world, now)
  const kept = new Strictest()
  for (const policy of policies) {
    const waiverFor = waiversOf(identity, policy, world, now)
    const findings = [
      ...reviewPodSecurity(podSecurity, policy, waiverFor),
      ...capabilities(policy.workloads?.forbid ?? [], waiverFor),
      ...(policy.workloads === null ? [] : tokens(policy.workloads)),
      ...pins(policy),
      ...reviewConditions(workload, identity, policy, world, now, judged),
    ]
    for (const finding of findings) kept.add(finding, policy, waiverFor(finding.check))
  }
  const findings = kept.findings
  return { verdict: verdictOf(findings), findings: strictestOnce(findings) }
}

type PodSecurityOf = (standard: { readonly level: PodSecurityLevel; readonly version: string }) => readonly Finding[]

function podSecurityOf(workload: Workload): PodSecurityOf {
  const pod = { spec: defaultedPod(workload.pod), annotations: workload.annotations }
  return rememberedBy(standards, ({ level, version }) => checkPodSecurity(pod, level, version, workload.podPath))
}

const standards = keys<Parameters<PodSecurityOf>[0]>(({ level, version }) => `${level} ${version}`)
const tokenTerms = keys<WorkloadTerms>(({ checks, maxTokenLifetime }) => `${maxTokenLifetime} ${checks.join(' ')}`)
const idLists = keys<readonly CapabilityId[]>((ids) => ids.join(' '))

/** One text for equal terms. Policies stay while workloads come and go, so that it is worked out once for each. */
function keys<A extends object>(textOf: (terms: A) => string): (terms: A) => string {
  const known = new WeakMap<A, string>()
  return (terms) => {
    const text = known.get(terms) ?? textOf(terms)
    known.set(terms, text)
    return text
  }
}

/** Policies often have the same terms: what they ask of one workload is worked out once. */
function rememberedBy<A extends object, T>(keyOf: (terms: A) => string, work: (terms: A) => T): (terms: A) => T {
  const known = new Map<string, T>()
  return (terms) => {
    const key = keyOf(terms)
    const answer = known.get(key) ?? work(terms)
    known.set(key, answer)
    return answer
  }
}

/** Where a check is waived that stands in the place of a baseline one, that one is not waived with it. */
function reviewPodSecurity(podSecurity: PodSecurityOf, policy: Policy, waiverFor: FindWaiver): readonly Finding[] {
  const standard = policy.workloads?.podSecurity ?? null
  if (standard === null) return []
  const findings = podSecurity(standard)
  if (waiverFor === waivesNothing) return findings
  const bared = findings.filter(({ check }) => waiverFor(check) !== null).map(({ check }) => replacedBy(check))
  if (bared.every((check) => check === null)) return findings
  const baseline = podSecurity({ level: 'baseline', version: standard.version })
  return [...findings, ...baseline.filter(({ check }) => bared.includes(check))]
}

/**
 * What is forbidden and held, and what is held by whom the identity can become. A capability is no step to somebody else where
 * it is told itself; one that is waived is told, but counts for nothing, and so what it leads to must be.
 */
function capabilitiesOf(
  workload: Workload,
  identity: Extract<Identity, { kind: 'ServiceAccount' }>,
  world: World,
): (forbidden: readonly CapabilityId[], waiverFor: FindWaiver) => readonly Finding[] {
  const account = world.serviceAccount(identity.namespace, identity.name)
  const { reachable } = tokenReachable(workload.pod, account?.automount ?? null)
  const path = `${workload.podPath}.serviceAccountName`
  const options = { ignoreBindings: world.grantBindings() }
  const own = rememberedBy(idLists, (ids) =>
    capabilityFindings(identity, memoHeldCapabilities(rbacUserOf(identity), ids, world.rbac, options), path),
  )
  const reached = rememberedBy(idLists, (ids) => escalationFindings(identity, ids, path, world.rbac, options))
  return (forbidden, waiverFor) => {
    if (forbidden.length === 0 || !reachable) return []
    const kept = waiverFor === waivesNothing ? forbidden : forbidden.filter((id) => waiverFor(id) === null)
    return [...own(forbidden), ...reached(kept)]
  }
}

/** What is wrong with the pins of the workload in the eyes of each policy. */
function pinsOf(
  workload: Workload,
  governing: readonly Policy[],
  world: World,
  now: Instant,
): (policy: Policy) => readonly Finding[] {
  const annotation = Object.hasOwn(workload.annotations, pinAnnotation)
    ? workload.annotations[pinAnnotation]
    : undefined
  const path = `${workload.templateMetadataPath}.annotations["${pinAnnotation}"]`
  const foreign = foreignPins(annotation, governing, path)
  return (policy) => {
    const own = reviewPin(policy, annotation, path, world, now)
    return own === null ? foreign : [own, ...foreign]
  }
}

/** What is no breach goes on record and refuses nothing. */
function enforcementOf({ severity }: Finding, { workloads }: Policy): Enforcement {
  return severity === 'Info' ? 'Audit' : (workloads?.enforcement ?? 'Deny')
}

function underPolicy(finding: Finding, policy: Policy, waiver: Waiver | null): PolicyFinding {
  return {
    ...finding,
    enforcement: enforcementOf(finding, policy),
    policy: { name: policy.name, version: policy.version, owner: policy.owner },
    ...(waiver !== null && { waivedBy: waiver }),
  }
}

/** Of one and the same finding under many policies only the first of the strictest, and whatever is waived. */
class Strictest {
  readonly #counted = new Map<Finding, PolicyFinding>()
  readonly #waived: PolicyFinding[] = []

  add(finding: Finding, policy: Policy, waiver: Waiver | null): void {
    if (waiver !== null) return void this.#waived.push(underPolicy(finding, policy, waiver))
    const other = this.#counted.get(finding)
    if (other !== undefined && strictness[other.enforcement] >= strictness[enforcementOf(finding, policy)]) return
    this.#counted.set(finding, underPolicy(finding, policy, null))
  }

  get findings(): readonly PolicyFinding[] {
    return [...this.#counted.values(), ...this.#waived]
  }
}

/** What is waived is told, but is no reason for anything. */
export function isCounted({ waivedBy }: Pick<PolicyFinding, 'waivedBy'>): boolean {
  return waivedBy === undefined
}

const strictness: Readonly<Record<Enforcement, number>> = { Deny: 3, Warn: 2, Audit: 1 }
const severities: readonly Severity[] = ['Critical', 'High', 'Medium', 'Low', 'Info']

/** What the strictest of these findings asks for. */
export function verdictOf(findings: readonly PolicyFinding[]): Verdict {
  const counted = new Set(findings.filter(isCounted).map(({ enforcement }) => enforcement))
  return (['Deny', 'Warn', 'Audit'] as const).find((enforcement) => counted.has(enforcement)) ?? 'Allow'
}

/**
 * The same breach under two policies is told once, by the stricter one, and once more for each grant that waives it; worst
 * first, then in order of the fields, and at the end what does not count.
 */
export function strictestOnce(findings: readonly PolicyFinding[]): readonly PolicyFinding[] {
  const kept = new Map<string, PolicyFinding>()
  for (const finding of findings) {
    const key = `${finding.waivedBy?.name ?? ''} ${finding.check} ${finding.path} ${finding.message}`
    const other = kept.get(key)
    if (other === undefined || strictness[finding.enforcement] > strictness[other.enforcement]) kept.set(key, finding)
  }
  const rank = (finding: PolicyFinding): number =>
    ((isCounted(finding) ? 0 : 3) + 3 - strictness[finding.enforcement]) * severities.length +
    severities.indexOf(finding.severity)
  return [...kept.values()].sort((a, b) => rank(a) - rank(b))
}
