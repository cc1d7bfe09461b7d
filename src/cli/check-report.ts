import { apiVersion } from '../api/v1alpha1/objects.ts'
import { whyRefused } from '../core/policy/explain.ts'
import { nextSteps } from '../core/workload/next-steps.ts'
import type { Verdict } from '../core/workload/review.ts'
import type { World } from '../core/world.ts'
import type { Judged, Judgement } from './check-judge.ts'
import type { Placed } from './check-world.ts'
import type { Source } from './manifest/manifest.ts'

/** One judged object, and what came of it. */
export interface CheckResult extends Judgement {
  readonly source: Source
  readonly object: {
    readonly apiVersion: string
    readonly kind: string
    /** Absent for a cluster-scoped object. */
    readonly namespace?: string
    readonly name: string
  }
  /** Why it is denied, in one clause. */
  readonly why: string
  /** What can be done beside mending it, one line each. */
  readonly next: readonly string[]
  /** What else is worth knowing, one line; empty: nothing. */
  readonly note: string
}

export function resultOf(
  { apiVersion: version, kind, namespace, source }: Placed,
  judged: Judged,
  judgement: Judgement,
  world: World,
): CheckResult {
  const place = namespace === '' ? {} : { namespace }
  return {
    ...judgement,
    source,
    object: { apiVersion: version, kind, ...place, name: nameOf(judged) },
    why: whyOf(judged, judgement),
    next: judged.kind === 'Workload' ? nextSteps(judgement.findings, judged.namespace, world) : [],
    note: noteOf(judged, judgement, world),
  }
}

function nameOf(judged: Judged): string {
  switch (judged.kind) {
    case 'Workload':
      return judged.workload.name
    case 'Policy':
      return judged.policy.name
    case 'Grant':
      return judged.grant.name
  }
}

/** As the webhook words it. */
function whyOf(judged: Judged, { findings }: Judgement): string {
  if (judged.kind === 'Policy') return 'cannot be accepted'
  const denying = findings.filter(({ enforcement }) => enforcement === 'Deny')
  const policies = denying.flatMap(({ policy }) => (policy === null ? [] : [policy]))
  return policies.length === 0 ? 'names a policy that does not exist' : whyRefused(denying, policies)
}

function noteOf(judged: Judged, { verdict }: Judgement, world: World): string {
  if (judged.kind !== 'Workload') return ''
  const { namespace, workload } = judged
  const account = `${namespace}/${workload.serviceAccountName}`
  const isKnown = world.serviceAccount(namespace, workload.serviceAccountName) !== null
  const doubt = `ServiceAccount ${account} is not among the files: it was judged by its name only, not by its labels`
  if (verdict !== 'Ungoverned') return isKnown ? '' : `note: ${doubt}`
  const what = `ungoverned: no policy governs ServiceAccount ${account}, as which ${workload.kind} ${namespace}/${workload.name} runs`
  return isKnown ? what : `${what}\n  → ${doubt}`
}

export interface Summary {
  readonly objects: number
  readonly denied: number
  /** Admitted with findings, whether they are told (Warn) or only recorded (Audit). */
  readonly warned: number
  readonly allowed: number
  readonly ungoverned: number
}

export function summarise(results: readonly CheckResult[]): Summary {
  const count = (...verdicts: readonly Verdict[]) => results.filter(({ verdict }) => verdicts.includes(verdict)).length
  return {
    objects: results.length,
    denied: count('Deny'),
    warned: count('Warn', 'Audit'),
    allowed: count('Allow'),
    ungoverned: count('Ungoverned'),
  }
}

/** The CheckReport document, a public interface: its field names do not change. */
export function jsonReport(results: readonly CheckResult[]): string {
  const report = { apiVersion, kind: 'CheckReport', summary: summarise(results), results: results.map(jsonResult) }
  return `${JSON.stringify(report, null, 2)}\n`
}

function jsonResult({ source, object, verdict, findings }: CheckResult) {
  return {
    source,
    object,
    verdict,
    findings: findings.map(({ check, severity, enforcement, path, message, remedy, policy }) => ({
      check,
      severity,
      enforcement,
      path,
      message,
      remedy,
      policy: policy === null ? null : { name: policy.name, version: policy.version },
    })),
  }
}
