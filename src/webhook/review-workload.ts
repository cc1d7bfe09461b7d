import { ConditionBudget } from '../core/cel/budget.ts'
import { highFinding, type Finding } from '../core/finding.ts'
import { isOwnAccount } from '../core/grant/own-account.ts'
import { explain, whyRefused } from '../core/policy/explain.ts'
import type { World } from '../core/world.ts'
import { nextSteps } from '../core/workload/next-steps.ts'
import type { JudgedObject } from '../core/workload/conditions.ts'
import { isCounted, reviewWorkload, verdictOf, type PolicyFinding } from '../core/workload/review.ts'
import { readWorkloads, templateKindOf, type TemplateKind } from '../core/workload/template-kinds.ts'
import { makesPods, type Workload } from '../core/workload/workload.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, allowedWith, refused, warningOf, type Answer, type WorldReference } from './answer.ts'
import { auditAnnotationsOf, warningsOf } from './remarks.ts'
import { describeObject, refuseBy, refuseInvalid, refuseUnknownKind, type Review } from './review.ts'
import { keepsTemplates, ratchet, workloadsBefore } from './workload-change.ts'

/** Pods, whoever makes them, and what makes Pods: the last line and the place where its author sees the refusal. */
export const reviewWorkloads: Review = (request, snapshot) => {
  const kinds = snapshot.podTemplates ?? []
  const known = templateKindOf(request.group, request.kind, kinds)
  if (!isKnown(request, known)) return refuseUnknownKind(request)
  if (request.operation === 'DELETE') return allowed
  const reading = readWorkloads(request.object, kinds)
  const before = workloadsBefore(request, kinds)
  if (reading.ok && keepsTemplates(before, reading.workloads)) return allowed
  if (!reading.ok) return refuseInvalid(request, reading.problems)
  if (reading.workloads.length === 0) return known === undefined ? allowed : nothingAt(known)
  const borrowed = reviewIdentities(reading.workloads)
  if (borrowed.length > 0) return refuseBy(request, 'would run as the identity of a grant', borrowed)
  const absent = missingFrom(snapshot.world, reading.workloads, request.namespace)
  if (absent.isFatal) return refuseUnplaced(request, absent)
  const answer = judge(request, { before, after: reading.workloads }, snapshot)
  return absent.unsettled.length === 0 ? answer : judgedByName(answer, absent)
}

function isKnown({ group, kind, subResource }: AdmissionRequest, known: TemplateKind | undefined): boolean {
  if (known !== undefined) return subResource === ''
  return makesPods(group, kind) && (subResource === '' || (kind === 'Pod' && subResource === 'ephemeralcontainers'))
}

/** A path that never leads anywhere looks like a door that is watched. */
function nothingAt({ path }: TemplateKind): Answer {
  const warning = `there is no pod template at ${path}, where lapse is told to look: its Pods are judged when they are created`
  return allowedWith({ warnings: [warningOf(warning)] })
}

/** What runs as the identity of a grant has its access, and none of the judgement that the subject's own Pods are under. */
function reviewIdentities(workloads: readonly Workload[]): readonly Finding[] {
  return workloads
    .filter(({ serviceAccountName }) => isOwnAccount(serviceAccountName))
    .map(({ podPath, serviceAccountName }) => {
      const message = `ServiceAccount ${serviceAccountName} is the identity of a grant: nothing runs as it`
      const remedy = 'run as an account of your own, and mount the Secret with the token'
      return highFinding('grant-identity', `${podPath}.serviceAccountName`, message, remedy)
    })
}

interface Missing {
  readonly unsettled: readonly WorldReference[]
  readonly findings: readonly Finding[]
  /** A template may come before its ServiceAccount; a Pod may not, and nothing may come before its namespace. */
  readonly isFatal: boolean
}

const nothingMissing: Missing = { unsettled: [], findings: [], isFatal: false }

function missingFrom(world: World, workloads: readonly Workload[], namespace: string): Missing {
  const all = workloads.map((workload) => missingFor(world, workload, namespace))
  const found = all.filter((each) => each !== nothingMissing)
  if (found.length < 2) return found[0] ?? nothingMissing
  return {
    unsettled: found.flatMap(({ unsettled }) => unsettled),
    findings: found.flatMap(({ findings }) => findings),
    isFatal: found.some(({ isFatal }) => isFatal),
  }
}

function missingFor(world: World, workload: Workload, namespace: string): Missing {
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
  return refuseBy(request, 'cannot be judged: what decides over it is not there', findings, { unsettled })
}

function judgedByName(answer: Answer, { findings, unsettled }: Missing): Answer {
  const notes = findings.map(({ path, message }) =>
    warningOf(`${path}: ${message} yet: judged by its name only; its Pods are judged when they are created`),
  )
  return { ...answer, warnings: [...answer.warnings, ...notes], unsettled }
}

interface Change {
  readonly before: readonly Workload[]
  readonly after: readonly Workload[]
}

function judge(request: AdmissionRequest, { before, after }: Change, { world, now }: Parameters<Review>[1]): Answer {
  const budget = new ConditionBudget()
  const judgeAll = (workloads: readonly Workload[], object: unknown) =>
    workloads.flatMap(
      (workload) =>
        reviewWorkload(workload, request.namespace, world, now, judgedObject(request, object, budget)).findings,
    )
  const findings = ratchet(judgeAll(after, request.object), before, after)
  switch (verdictOf(findings)) {
    case 'Ungoverned':
    case 'Allow':
      return findings.length === 0 ? allowed : allowedWith(remarksOn(findings))
    case 'Warn':
    case 'Audit':
      return allowedWith(remarksOn(findings))
    case 'Deny':
      return refused(
        403,
        explainRefusal(request, after, findings, judgeAll(before, request.oldObject), world),
        remarksOn(findings),
      )
  }
}

function judgedObject(
  { operation, user, namespace, name, group, kind, oldObject }: AdmissionRequest,
  object: unknown,
  budget: ConditionBudget,
): JudgedObject {
  return { object, oldObject, request: { operation, userInfo: user, namespace, name, kind: { group, kind } }, budget }
}

function remarksOn(findings: readonly PolicyFinding[]): Pick<Answer, 'warnings' | 'auditAnnotations'> {
  return { warnings: warningsOf(findings), auditAnnotations: auditAnnotationsOf(findings) }
}

function explainRefusal(
  request: AdmissionRequest,
  workloads: readonly Workload[],
  all: readonly PolicyFinding[],
  earlier: readonly PolicyFinding[],
  world: World,
): string {
  const findings = all.filter((finding) => finding.enforcement === 'Deny' && isCounted(finding))
  const policies = findings.map(({ policy }) => policy)
  const accounts = workloads.map(({ serviceAccountName }) => serviceAccountName)
  return explain({
    what: describeObject(request),
    why: whyRefused(findings, policies),
    findings,
    owners: policies.map(({ owner }) => owner),
    next: [...oldOnes(findings, earlier), ...nextSteps(findings, { namespace: request.namespace, accounts }, world)],
  })
}

function keyOf({ check, path, message }: PolicyFinding): string {
  return `${check} ${path} ${message}`
}

/** Why an author is refused for what the change did not bring. */
function oldOnes(findings: readonly PolicyFinding[], earlier: readonly PolicyFinding[]): readonly string[] {
  const known = new Set(earlier.map(keyOf))
  const count = findings.filter((finding) => known.has(keyOf(finding))).length
  if (count === 0) return []
  return [
    `${count} of these ${count === 1 ? 'was' : 'were'} there before: new Pods are refused for it with this change or without`,
  ]
}

function missing(check: string, path: string, message: string): Finding {
  return highFinding(check, path, message, 'create it first')
}
