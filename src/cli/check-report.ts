import { apiVersion } from '../api/v1alpha1/objects.ts'
import { whyRefused } from '../core/policy/explain.ts'
import type { Verdict } from '../core/workload/review.ts'
import { formatInstant } from '../core/time.ts'
import { isDenying, type JudgedFinding, type Judgement } from './check-finding.ts'
import type { Judged } from './check-judge.ts'
import type { Setting } from './check-setting.ts'
import type { Placed } from './check-world.ts'
import type { Source } from './manifest/manifest.ts'

/** One judged object, and what came of it. */
export interface CheckResult extends Judgement {
  readonly source: Source
  readonly manifest: Placed
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

/** What came of a run. */
export interface CheckReport {
  readonly results: readonly CheckResult[]
  /** How many findings the baseline lists; null: no baseline was given. */
  readonly baselined: number | null
}

export async function resultOf(
  manifest: Placed,
  judged: Judged,
  judgement: Judgement,
  setting: Setting,
): Promise<CheckResult> {
  const { apiVersion: version, kind, namespace, source } = manifest
  const place = namespace === '' ? {} : { namespace }
  return {
    ...judgement,
    source,
    manifest,
    object: { apiVersion: version, kind, ...place, name: nameOf(judged) },
    why: whyOf(judged, judgement),
    next: await nextOf(judged, judgement, setting),
    note: noteOf(judged, judgement, setting),
  }
}

async function nextOf(
  judged: Judged,
  { findings, next = [] }: Judgement,
  { world }: Setting,
): Promise<readonly string[]> {
  if (judged.kind !== 'Workload') return next
  const denying = findings.filter(isDenying)
  if (denying.length === 0) return []
  const { nextSteps } = await import('../core/workload/next-steps.ts')
  const accounts = judged.workloads.map(({ serviceAccountName }) => serviceAccountName)
  return nextSteps(denying, { namespace: judged.namespace, accounts }, world)
}

/** The name that messages give it. */
export function nameOf(judged: Judged): string {
  switch (judged.kind) {
    case 'Workload':
      return judged.workloads[0].name
    case 'Policy':
      return judged.policy.name
    case 'Grant':
      return judged.grant.name
    case 'Access':
      return judged.name
  }
}

/** As the webhook words it. */
function whyOf(judged: Judged, { findings }: Judgement): string {
  if (judged.kind === 'Policy') return 'cannot be accepted'
  const denying = findings.filter(isDenying)
  const policies = denying.flatMap(({ policy }) => (policy === null ? [] : [policy]))
  return policies.length === 0 ? 'names a policy that does not exist' : whyRefused(denying, policies)
}

function noteOf(judged: Judged, { verdict }: Judgement, { world, worldSource }: Setting): string {
  if (judged.kind !== 'Workload') return ''
  const { namespace, workloads } = judged
  const [{ kind, name }] = workloads
  const accounts = new Set(workloads.map(({ serviceAccountName }) => serviceAccountName))
  const unknown = [...accounts].filter((account) => world.serviceAccount(namespace, account) === null)
  const isMissing = worldSource === 'files' ? 'is not among the files' : 'does not exist'
  const doubts = unknown.map(
    (account) =>
      `ServiceAccount ${namespace}/${account} ${isMissing}: it was judged by its name only, not by its labels`,
  )
  if (verdict !== 'Ungoverned') return doubts.map((doubt) => `note: ${doubt}`).join('\n')
  const named = [...accounts].map((account) => `${namespace}/${account}`).join(', ')
  const what = `ungoverned: no policy governs ServiceAccount ${named}, as which ${kind} ${namespace}/${name} runs`
  return [what, ...doubts].join('\n  → ')
}

export interface Summary {
  readonly objects: number
  readonly denied: number
  /** Admitted with findings, whether they are told (Warn), only recorded (Audit) or put up with (baseline). */
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
export function documentOf({ results, baselined }: CheckReport) {
  const summary = { ...summarise(results), ...(baselined !== null && { baselined }) }
  return { apiVersion, kind: 'CheckReport', summary, results: results.map(resultDocument) }
}

function resultDocument({ source, object, verdict, findings }: CheckResult) {
  return { source, object, verdict, findings: findings.map(findingDocument) }
}

function findingDocument({ policy, waivedBy, isBaselined, ...finding }: JudgedFinding) {
  const { check, severity, enforcement, path, message, remedy } = finding
  return {
    check,
    severity,
    enforcement,
    path,
    message,
    remedy,
    policy: policy === null ? null : { name: policy.name, version: policy.version },
    ...(waivedBy !== undefined && { waivedBy: { ...waivedBy, notAfter: formatInstant(waivedBy.notAfter) } }),
    ...(isBaselined === true && { baselined: true }),
  }
}

export function jsonReport(report: CheckReport): string {
  return `${JSON.stringify(documentOf(report), null, 2)}\n`
}
