import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../cluster/ports.ts'
import type { Severity } from '../core/finding.ts'
import { describePolicy } from '../core/policy/policy.ts'
import type { Instant } from '../core/time.ts'
import type { PolicyFinding } from '../core/workload/review.ts'

/** How many objects of a namespace have which outcome, and what is wrong. */
export interface NamespaceResults {
  /** Governed, and nothing is wrong. */
  readonly passed: number
  /** No policy governs them. */
  readonly ungoverned: number
  readonly findings: readonly StoredFinding[]
}

export interface StoredFinding {
  readonly object: KubeObject
  /** null: the object could not be read, as the message says. */
  readonly finding: PolicyFinding | null
  readonly message: string
}

/** The name of our report in each namespace. */
export const reportName = 'lapse'
export const reportLabels = { 'app.kubernetes.io/managed-by': 'lapse' } as const

/** An object is at most 1.5 MiB in etcd; of more findings the gravest are shown, and all are counted. */
const mostResults = 500
const longestMessage = 512

type Outcome = 'fail' | 'warn' | 'error'

interface Result {
  readonly policy: string
  readonly rule: string
  readonly result: Outcome
  readonly severity: string
  readonly scored: boolean
  readonly message: string
  readonly resources: readonly [Readonly<Record<string, string>>]
  readonly properties: Readonly<Record<string, string>>
  readonly timestamp: { readonly seconds: number; readonly nanos: number }
}

/**
 * The namespace's Report of openreports.io, or for the empty namespace, which is what belongs to none, the ClusterReport. A result keeps the time at which it was first reported. Returns `previous`
 * itself when nothing has changed.
 */
export function reportOf(
  namespace: string,
  { passed, ungoverned, findings }: NamespaceResults,
  previous: KubeObject | null,
  now: Instant,
): object {
  const since = timestampsOf(previous)
  const results = findings
    .map((found) => resultOf(found))
    .sort(gravestFirst)
    .slice(0, mostResults)
    .map((result) => ({ ...result, timestamp: since.get(identityOf(result)) ?? timestampOf(now) }))
  const content = {
    source: 'lapse',
    ...(namespace !== '' && { scope: { apiVersion: 'v1', kind: 'Namespace', name: namespace } }),
    configuration: { limits: { maxResults: mostResults, statusFilter: ['fail', 'warn', 'error'] } },
    summary: { pass: passed, skip: ungoverned, ...countsOf(findings) },
    results,
  }
  if (previous !== null && says(previous, content)) return previous
  const place = namespace === '' ? {} : { namespace }
  const metadata = previous?.metadata ?? { ...place, name: reportName, labels: reportLabels }
  const kind = namespace === '' ? 'ClusterReport' : 'Report'
  return { apiVersion: 'openreports.io/v1alpha1', kind, metadata, ...content }
}

function says(previous: KubeObject, content: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(content).every(([field, value]) => isDeepStrictEqual(previous[field], value))
}

function resultOf({ object, finding, message }: StoredFinding): Omit<Result, 'timestamp'> {
  const { namespace = '', name, uid } = object.metadata
  const place = namespace === '' ? {} : { namespace }
  const resource = { apiVersion: object.apiVersion ?? '', kind: object.kind ?? '', ...place, name, uid }
  const said = {
    message: message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1).toWellFormed()}…`,
    resources: [resource] as const,
  }
  if (finding === null)
    return {
      policy: 'lapse',
      rule: 'invalid',
      result: 'error',
      severity: 'high',
      scored: false,
      ...said,
      properties: {},
    }
  const { check, severity, path, remedy, enforcement, policy } = finding
  return {
    policy: policy.name,
    rule: check,
    result: outcomeOf(finding),
    severity: severity.toLowerCase(),
    scored: enforcement === 'Deny',
    ...said,
    properties: { version: describePolicy(policy), enforcement, path, remedy },
  }
}

export function outcomeOf(finding: PolicyFinding | null): Outcome {
  if (finding === null) return 'error'
  return finding.enforcement === 'Deny' ? 'fail' : 'warn'
}

function countsOf(findings: readonly StoredFinding[]): Record<Outcome, number> {
  const counts = { fail: 0, warn: 0, error: 0 }
  for (const { finding } of findings) counts[outcomeOf(finding)] += 1
  return counts
}

const outcomes: readonly Outcome[] = ['error', 'fail', 'warn']
const severities: readonly Lowercase<Severity>[] = ['critical', 'high', 'medium', 'low', 'info']

/** An order that does not depend on the order in which objects were found. */
function gravestFirst(a: Omit<Result, 'timestamp'>, b: Omit<Result, 'timestamp'>): number {
  const rank = ({ result, severity }: Omit<Result, 'timestamp'>): number =>
    outcomes.indexOf(result) * severities.length + severities.indexOf(severity as Lowercase<Severity>)
  const [of, other] = [identityOf(a), identityOf(b)]
  return rank(a) - rank(b) || (of < other ? -1 : Number(of > other))
}

function identityOf({
  policy,
  rule,
  resources: [{ kind = '', name = '', uid = '' }],
  properties,
}: Omit<Result, 'timestamp'>): string {
  return JSON.stringify([kind, name, uid, policy, rule, properties['path'] ?? ''])
}

function timestampsOf(previous: KubeObject | null): ReadonlyMap<string, Result['timestamp']> {
  const results = (previous?.['results'] ?? []) as readonly Result[]
  return new Map(
    results.map((result) => [identityOf({ ...result, properties: result.properties ?? {} }), result.timestamp]),
  )
}

function timestampOf(now: Instant): Result['timestamp'] {
  return { seconds: Math.floor(now / 1_000), nanos: 0 }
}
