import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { GrantObservation } from '../../core/grant/plan.ts'
import { isTracked } from '../../api/v1alpha1/gitops.ts'
import { parseInstant, type Instant } from '../../core/time.ts'

/**
 * What the grant's own status says of its life. A status that says it was issued but not until when, or in a form that
 * cannot be read, counts as ended at its issue: only ever less.
 */
export function observeGrant(grant: NHIGrant): GrantObservation {
  const status = grant.status ?? {}
  const state = status.state ?? 'Pending'
  const accountUid = (status.objects ?? []).find(({ kind }) => kind === 'ServiceAccount')?.uid
  return {
    state,
    createdAt: instantOf(grant.metadata.creationTimestamp) ?? 0,
    deleting: grant.metadata.deletionTimestamp !== undefined,
    recorded:
      status.notAfter === undefined && state !== 'Active'
        ? null
        : {
            issuedAt: instantOf(status.issuedAt) ?? 0,
            notAfter: instantOf(status.notAfter) ?? instantOf(status.issuedAt) ?? 0,
            policyDigest: status.policy?.digest ?? '',
            subjectUid: status.subject?.uid ?? null,
            rules: status.rules ?? [],
            approvals: status.approvals?.given?.length ?? 0,
            untilUid: status.until?.uid ?? null,
            ...(accountUid !== undefined && { accountUid }),
          },
    endedAt: instantOf(status.endedAt),
    unreviewed: status.review?.dueBy !== undefined && status.review.reviewedAt === undefined,
    tracked: isTracked(grant.metadata),
    revocationVerified: state === 'Denied' || status.revocation?.verifiedAt !== undefined,
  }
}

function instantOf(text: string | undefined): Instant | null {
  return text === undefined ? null : parseInstant(text)
}
