import { isDeepStrictEqual } from 'node:util'
import { highFinding, type Finding } from '../core/finding.ts'
import { explain, whyRefused } from '../core/policy/explain.ts'
import { pinAnnotation } from '../core/policy/pin.ts'
import type { Labels } from '../core/selector.ts'
import type { World } from '../core/world.ts'
import { nextSteps } from '../core/workload/next-steps.ts'
import { reviewWorkload, type PolicyFinding } from '../core/workload/review.ts'
import { makesPods, readWorkload, type Workload } from '../core/workload/workload.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, allowedWith, refused, warningOf, type Answer, type WorldReference } from './answer.ts'
import { auditAnnotationsOf, warningsOf } from './remarks.ts'
import { describeObject, refuseInvalid, refuseUnknownKind, type Review } from './review.ts'

/** Pods, whoever makes them, and what makes Pods: the last line and the place where its author sees the refusal. */
export const reviewWorkloads: Review = (request, snapshot) => {
  if (!isKnown(request)) return refuseUnknownKind(request)
  if (request.operation === 'DELETE') return allowed
  const reading = readWorkload(request.object)
  const workload = reading.ok ? reading.workload : null
  if (workload !== null && keepsTemplate(request, workload)) return allowed
  if (!reading.ok) return refuseInvalid(request, reading.problems)
  if (workload === null) return allowed
  const absent = missingFrom(snapshot.world, workload, request.namespace)
  if (absent.isFatal) return refuseUnplaced(request, absent)
  const answer = judge(request, workload, snapshot)
  return absent.unsettled.length === 0 ? answer : judgedByName(answer, absent)
}

function isKnown({ group, kind, subResource }: AdmissionRequest): boolean {
  return makesPods(group, kind) && (subResource === '' || (kind === 'Pod' && subResource === 'ephemeralcontainers'))
}

/**
 * An update that does not touch what pods will be passes, on an object that is being deleted too: scale, labels and
 * finalizers stay writable on what no longer meets the policy.
 */
function keepsTemplate({ oldObject }: AdmissionRequest, after: Workload): boolean {
  if (oldObject === null) return false
  const before = readWorkload(oldObject)
  if (!before.ok || before.workload === null) return false
  const isPod = after.kind === 'Pod'
  return (
    isDeepStrictEqual(before.workload.pod, after.pod) &&
    isDeepStrictEqual(judgedAnnotations(before.workload, isPod), judgedAnnotations(after, isPod))
  )
}

/** Of a running Pod only those that are judged: the kubelet and networks write others all the time. */
function judgedAnnotations({ annotations }: Workload, isPod: boolean): Labels {
  if (!isPod) return annotations
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => key === pinAnnotation || /(apparmor|seccomp)/.test(key)),
  )
}

interface Missing {
  readonly unsettled: readonly WorldReference[]
  readonly findings: readonly Finding[]
  /** A template may come before its ServiceAccount; a Pod may not, and nothing may come before its namespace. */
  readonly isFatal: boolean
}

const nothingMissing: Missing = { unsettled: [], findings: [], isFatal: false }

function missingFrom(world: World, workload: Workload, namespace: string): Missing {
  const account = workload.serviceAccountName
  const hasNamespace = world.namespaceLabels(namespace) !== null
  const hasAccount = world.serviceAccount(namespace, account) !== null
  if (hasNamespace && hasAccount) return nothingMissing
  const unsettled: WorldReference[] = []
  const findings: Finding[] = []
  if (!hasNamespace) {
    unsettled.push({ kind: 'Namespace', namespace: '', name: namespace })
    findings.push(missing('namespace-missing', 'metadata.namespace', `there is no namespace ${namespace}`))
  }
  if (!hasAccount) {
    unsettled.push({ kind: 'ServiceAccount', namespace, name: account })
    const path = `${workload.podPath}.serviceAccountName`
    findings.push(missing('service-account-missing', path, `there is no ServiceAccount ${namespace}/${account}`))
  }
  return { unsettled, findings, isFatal: !hasNamespace || workload.kind === 'Pod' }
}

function refuseUnplaced(request: AdmissionRequest, { findings, unsettled }: Missing): Answer {
  const why = 'cannot be judged: what decides over it is not there'
  return refused(403, explain({ what: describeObject(request), why, findings, owners: [], next: [] }), { unsettled })
}

function judgedByName(answer: Answer, { findings, unsettled }: Missing): Answer {
  const notes = findings.map(({ path, message }) =>
    warningOf(`${path}: ${message} yet: judged by its name only; its Pods are judged when they are created`),
  )
  return { ...answer, warnings: [...answer.warnings, ...notes], unsettled }
}

function judge(request: AdmissionRequest, workload: Workload, { world, now }: Parameters<Review>[1]): Answer {
  const { verdict, findings } = reviewWorkload(workload, request.namespace, world, now)
  switch (verdict) {
    case 'Ungoverned':
    case 'Allow':
      return allowed
    case 'Warn':
    case 'Audit':
      return allowedWith(remarksOn(findings))
    case 'Deny':
      return refused(403, explainRefusal(request, findings, world), remarksOn(findings))
  }
}

function remarksOn(findings: readonly PolicyFinding[]): Pick<Answer, 'warnings' | 'auditAnnotations'> {
  return { warnings: warningsOf(findings), auditAnnotations: auditAnnotationsOf(findings) }
}

function explainRefusal(request: AdmissionRequest, all: readonly PolicyFinding[], world: World): string {
  const findings = all.filter(({ enforcement }) => enforcement === 'Deny')
  const policies = findings.map(({ policy }) => policy)
  return explain({
    what: describeObject(request),
    why: whyRefused(findings, policies),
    findings,
    owners: policies.map(({ owner }) => owner),
    next: nextSteps(findings, request.namespace, world),
  })
}

function missing(check: string, path: string, message: string): Finding {
  return highFinding(check, path, message, 'create it first')
}
