import { highFinding, type Finding } from '../core/finding.ts'
import type { Problem } from '../core/problem.ts'
import { explain } from '../core/policy/explain.ts'
import type { Policy } from '../core/policy/policy.ts'
import type { Instant } from '../core/time.ts'
import type { World } from '../core/world.ts'
import type { TemplateKind } from '../core/workload/template-kinds.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { refused, type Answer } from './answer.ts'
import type { SaidOfGrants } from './said-of-grants.ts'

/** What is known at the moment of a review. */
export interface Snapshot {
  readonly world: World
  readonly now: Instant
  /** The user name under which the operator writes. */
  readonly operatorUser: string
  /** Further kinds whose objects embed pod templates; absent: none. */
  readonly podTemplates?: readonly TemplateKind[]
  /** What was said of grants before; absent: nothing. */
  readonly said?: Pick<SaidOfGrants, 'nameOf'>
}

/** Judges one request. Pure: the same request and snapshot have the same answer, so a dry run leaves no trace. */
export type Review = (request: AdmissionRequest, snapshot: Snapshot) => Answer

/**
 * Hands a request to the review of its kind: `lapse.dev/NHIGrant`, `lapse.dev/NHIGrant/status`. What no review is
 * responsible for is refused: the webhook's configuration sends more than the webhook judges.
 */
export function byKind(reviews: Readonly<Record<string, Review>>): Review {
  return (request, snapshot) => {
    const key = qualifiedKind(request)
    const review = Object.hasOwn(reviews, key) ? reviews[key] : undefined
    return review === undefined ? refuseUnknownKind(request) : review(request, snapshot)
  }
}

export function refuseUnknownKind(request: AdmissionRequest): Answer {
  return refused(403, `denied by lapse: this webhook does not know ${qualifiedKind(request)}: check its configuration`)
}

function qualifiedKind({ group, kind, subResource }: AdmissionRequest): string {
  const whole = group === '' ? kind : `${group}/${kind}`
  return subResource === '' ? whole : `${whole}/${subResource}`
}

/** How messages name what a request is about: `Deployment payments/api`, `AccessPolicy payments-deploy`. */
export function describeObject({ kind, namespace, name, object }: AdmissionRequest): string {
  const own = name === '' ? generatedName(object) : name
  return `${kind} ${namespace === '' ? own : `${namespace}/${own}`}`
}

function generatedName(object: AdmissionRequest['object']): string {
  const prefix = (object?.['metadata'] as { readonly generateName?: unknown } | null | undefined)?.generateName
  return typeof prefix === 'string' && prefix !== '' ? `${prefix}…` : 'without a name'
}

/** What may not be done, by these findings. `owners`: of the policies that say so. */
export function refuseBy(
  request: AdmissionRequest,
  why: string,
  findings: readonly Finding[],
  {
    owners = [],
    unsettled = [],
  }: { readonly owners?: readonly Policy['owner'][] } & Partial<Pick<Answer, 'unsettled'>> = {},
): Answer {
  return refused(403, explain({ what: describeObject(request), why, findings, owners, next: [] }), { unsettled })
}

/** An object that its parser does not accept. `kind` as kubectl explain knows it. */
export function refuseInvalid(request: AdmissionRequest, problems: readonly Problem[]): Answer {
  const findings = problems.map(({ path, message, remedy }) => highFinding('invalid', path, message, remedy))
  const next = [`what its fields mean: kubectl explain ${request.kind.toLowerCase()}`]
  return refused(422, explain({ what: describeObject(request), why: 'is not valid', findings, owners: [], next }))
}

/** A write that nobody but the operator may do. */
export function refuseForeignWrite(request: AdmissionRequest, finding: Finding): Answer {
  const why = `may not be written by ${request.user.username}`
  const what =
    request.subResource === '' ? describeObject(request) : `${request.subResource} of ${describeObject(request)}`
  return refused(403, explain({ what, why, findings: [finding], owners: [], next: [] }))
}
