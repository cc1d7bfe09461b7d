import { isDeepStrictEqual } from 'node:util'
import type { Condition } from '../../api/v1alpha1/conditions.ts'
import { digestOf } from '../../api/v1alpha1/digest.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Evidence } from '../../core/audit/record.ts'
import { usernameOf } from '../../core/identity.ts'
import { canonicalIdentity } from '../../core/policy/select.ts'
import { formatInstant, type Instant } from '../../core/time.ts'
import { policyNamedBy, subjectOf } from './named-in-spec.ts'

type Finding = Pick<Evidence, 'kind' | 'message'> & { readonly actor?: string }

/** Who acts where nobody but time or a rule does. */
const ourselves = 'lapse'

type State = NonNullable<NHIGrantStatus['state']>

/** What must be on record before a status takes the place of the grant's own; nothing, when it says nothing new. */
export function evidenceOfStatus(grant: NHIGrant, status: NHIGrantStatus, now: Instant): readonly Evidence[] {
  const findings = [
    ...approvals(grant, status),
    ...stateChange(grant, status),
    ...drift(grant, status),
    ...review(grant, status),
    ...evictions(grant, status),
    ...proof(grant, status),
  ]
  return findings.map((finding) => evidence(grant, status, finding, now))
}

/** Whether it only tells of less access, which waits for no record. */
export function takesOnly({ kind }: Evidence): boolean {
  return kind === 'Shortened'
}

/** That the removal of what carries a grant begins. */
export function evidenceOfEnding(grant: NHIGrant, message: string, now: Instant): Evidence {
  return evidence(grant, grant.status ?? {}, { kind: 'Ending', message }, now)
}

/** Of a grant whose object was deleted before it had ended: its status will never say so. null: it had, or gave nothing. */
export function evidenceOfDeletion(grant: NHIGrant, now: Instant): Evidence | null {
  const { state = 'Pending', notAfter, endedAt } = grant.status ?? {}
  if (notAfter === undefined || endedAt !== undefined) return null
  const message = `the grant was deleted when it was ${state}; what it gave is removed`
  return evidence(grant, grant.status ?? {}, { kind: 'Ended', message }, now)
}

/** Of a grant whose object is about to be deleted: its end is on record. */
export function evidenceOfDiscard(grant: NHIGrant, now: Instant): Evidence {
  const message = `its record was kept since ${grant.status?.endedAt ?? ''}, for as long as its policy says`
  return evidence(grant, grant.status ?? {}, { kind: 'Discarded', message }, now)
}

function stateChange(grant: NHIGrant, after: NHIGrantStatus): readonly Finding[] {
  const { state = 'Pending' } = after
  if (state === 'Pending') return issuing(grant, after)
  return state === grant.status?.state ? shortened(grant, after) : [reached(state, after)]
}

/** What has begun may begin anew, with other objects or another end. */
function issuing({ status: before = {} }: NHIGrant, after: NHIGrantStatus): readonly Finding[] {
  if (after.notAfter === undefined || isDeepStrictEqual(issue(before), issue(after))) return []
  return [{ kind: 'Issuing', message: `until ${after.notAfter}` }]
}

function shortened({ status: before = {} }: NHIGrant, { state, notAfter }: NHIGrantStatus): readonly Finding[] {
  if (state !== 'Active' || notAfter === before.notAfter) return []
  return [{ kind: 'Shortened', message: `until ${notAfter ?? ''}, no longer until ${before.notAfter ?? ''}` }]
}

function reached(state: Exclude<State, 'Pending'>, after: NHIGrantStatus): Finding {
  const { notAfter = '', endedReason: message = '' } = after
  switch (state) {
    case 'AwaitingApproval':
      return { kind: 'Waiting', message: conditionOf(after, 'Ready')?.message ?? '' }
    case 'Active':
      return { kind: 'Issued', message: `until ${notAfter}` }
    case 'Denied':
      return { kind: 'Denied', message }
    case 'Expired':
    case 'Completed':
    case 'Revoked':
      return { kind: 'Ended', message: `${state}: ${message}` }
  }
}

/** What is about to be created, and until when. */
function issue({ notAfter, issuedAt, policy, subject, rules, waive, objects }: NHIGrantStatus): unknown {
  const names = (objects ?? []).map(({ kind, name }) => ({ kind, name }))
  return { notAfter, issuedAt, policy, subject, rules, waive, names }
}

function approvals({ status: before = {} }: NHIGrant, { approvals: after }: NHIGrantStatus): readonly Finding[] {
  const known = new Set((before.approvals?.given ?? []).map(({ name }) => name))
  return (after?.given ?? [])
    .filter(({ name }) => !known.has(name))
    .map(({ name = '', approver = '' }) => ({
      kind: 'Approved',
      actor: approver,
      message: `by NHIGrantApproval ${name}, of ${after?.digest ?? ''}`,
    }))
}

/** What gave more is removed by then; what is missing comes back after it. */
function drift({ status: before = {} }: NHIGrant, after: NHIGrantStatus): readonly Finding[] {
  const is = conditionOf(after, 'Compliant')
  const was = conditionOf(before, 'Compliant')
  if (is === undefined || (is.status === was?.status && is.message === was.message)) return []
  return was === undefined && is.status === 'True' ? [] : [{ kind: 'Drift', message: is.message }]
}

function review({ status: before = {} }: NHIGrant, { review: after = {} }: NHIGrantStatus): readonly Finding[] {
  const { reviewedAt, reviewedBy = '', dueBy = '' } = after
  if (reviewedAt === undefined || before.review?.reviewedAt !== undefined) return []
  return [{ kind: 'Reviewed', actor: reviewedBy, message: `at ${reviewedAt}; it was due by ${dueBy}` }]
}

function evictions({ status: before = {} }: NHIGrant, after: NHIGrantStatus): readonly Finding[] {
  const is = conditionOf(after, 'PodsEvicted')
  return is === undefined || is.message === conditionOf(before, 'PodsEvicted')?.message
    ? []
    : [{ kind: 'PodsEvicted', message: is.message }]
}

function proof({ status: before = {} }: NHIGrant, after: NHIGrantStatus): readonly Finding[] {
  const is = conditionOf(after, 'RevocationVerified')
  const was = conditionOf(before, 'RevocationVerified')
  if (is === undefined || (is.status === was?.status && is.message === was.message)) return []
  const kind = is.status === 'True' ? 'RevocationVerified' : 'RevocationUnverified'
  return [{ kind, message: is.message }]
}

function evidence(grant: NHIGrant, status: NHIGrantStatus, { kind, message, actor }: Finding, now: Instant): Evidence {
  const { permissions = [], requestedBy = null, reason = '', ticket = null } = (grant.spec ?? {}) as LooseSpec
  const { rules = [], waive = [], notAfter = null } = status
  return {
    kind,
    time: formatInstant(now),
    grant: nameOf(grant),
    actor: actor ?? (isAskedFor(kind) ? (requestedBy ?? ourselves) : ourselves),
    requestedBy,
    subject: subjectOfRecord(grant, status),
    policy: policyOf(grant, status),
    permissions,
    waive,
    rules: rules.length === 0 ? null : digestOf(rules),
    notAfter,
    reason,
    ticket,
    message,
  }
}

/** What happens because somebody has asked for it. */
function isAskedFor(kind: Evidence['kind']): boolean {
  return kind === 'Waiting' || kind === 'Issuing' || kind === 'Issued'
}

function nameOf({ metadata }: NHIGrant): Evidence['grant'] {
  const { namespace = null, name, uid } = metadata
  return { kind: namespace === null ? 'ClusterNHIGrant' : 'NHIGrant', namespace, name, uid }
}

function subjectOfRecord(grant: NHIGrant, { subject: recorded }: NHIGrantStatus): string {
  const subject = canonicalIdentity(subjectOf(grant))
  return recorded?.username ?? usernameOf(subject) ?? subject.name
}

function policyOf(grant: NHIGrant, { policy }: NHIGrantStatus): Evidence['policy'] {
  return { name: policyNamedBy(grant), version: policy?.version ?? null, digest: policy?.digest ?? null }
}

/** An object may be older than its schema. */
type LooseSpec = Partial<Pick<NHIGrant['spec'], 'permissions' | 'requestedBy' | 'reason' | 'ticket'>>

function conditionOf({ conditions }: NHIGrantStatus, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}
