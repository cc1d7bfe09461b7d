import { grantDigestOf } from '../../api/v1alpha1/digest.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { GrantObservation, RecordedGrant } from '../../core/grant/plan.ts'
import { isTracked } from '../../api/v1alpha1/gitops.ts'
import { parseInstant, type Instant } from '../../core/time.ts'
import { isUnderWay } from './under-way.ts'

/**
 * What the grant's own status says of its life. A status that says it was issued but not until when, or in a form that
 * cannot be read, counts as ended at its issue: only ever less.
 */
export function observeGrant(grant: NHIGrant): GrantObservation {
  const status = grant.status ?? {}
  const state = status.state ?? 'Pending'
  return {
    state,
    createdAt: createdAtOf(grant),
    deleting: grant.metadata.deletionTimestamp !== undefined,
    recorded: isRecorded(status) ? recordedOf(grant, status) : null,
    ending: endingOf(status),
    endedAt: instantOf(status.endedAt),
    unreviewed: status.review?.dueBy !== undefined && status.review.reviewedAt === undefined,
    tracked: isTracked(grant.metadata),
    revocationVerified: state === 'Denied' || status.revocation?.verifiedAt !== undefined,
  }
}

export function createdAtOf({ metadata }: NHIGrant): Instant {
  return instantOf(metadata.creationTimestamp) ?? 0
}

function isRecorded({ notAfter, state }: NHIGrantStatus): boolean {
  return notAfter !== undefined || state === 'Active'
}

function endOf({ notAfter, issuedAt }: NHIGrantStatus): Instant {
  return instantOf(notAfter) ?? instantOf(issuedAt) ?? 0
}

function recordedOf({ spec }: NHIGrant, status: NHIGrantStatus): RecordedGrant {
  const accountUid = accountUidOf(status)
  return {
    issuedAt: instantOf(status.issuedAt) ?? 0,
    notAfter: endOf(status),
    policyDigest: status.policy?.digest ?? '',
    subjectUid: status.subject?.uid ?? null,
    rules: status.rules ?? [],
    approvals: approvalsOf(spec, status),
    untilUid: status.until?.uid ?? null,
    ...(accountUid !== undefined && { accountUid }),
  }
}

/** Those of another version of the policy are no approvals of this one. */
function approvalsOf(spec: NHIGrant['spec'], { approvals, policy }: NHIGrantStatus): number {
  const given = approvals?.given?.length ?? 0
  return given > 0 && approvals?.digest === grantDigestOf(spec, policy?.digest ?? '') ? given : 0
}

function accountUidOf({ objects = [] }: NHIGrantStatus): string | undefined {
  return objects.find(({ kind }) => kind === 'ServiceAccount')?.uid
}

/** What an end says that can be read no more is that it has come. */
function endingOf({ ending }: NHIGrantStatus): GrantObservation['ending'] {
  if (ending === undefined) return null
  const { state = 'Revoked', at, reason = '' } = ending
  return { state, at: instantOf(at) ?? 0, message: reason }
}

/** The end of a grant that is under way, by its record; null: it has none on record, or is over. */
export function endOnRecord(grant: NHIGrant): Instant | null {
  const status = grant.status ?? {}
  return isUnderWay(grant) && isRecorded(status) ? endOf(status) : null
}

function instantOf(text: string | undefined): Instant | null {
  return text === undefined ? null : parseInstant(text)
}
