import { mergeConditions, type Conclusion } from '../../api/v1alpha1/conditions.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { GrantPlan } from '../../core/grant/plan.ts'
import { clip } from '../../api/v1alpha1/clip.ts'
import type { AskedApprovals } from '../../core/grant/approval.ts'
import type { GrantRecord } from '../../core/grant/record.ts'
import { formatDuration, formatInstant, parseInstant, type Instant, type Millis } from '../../core/time.ts'
import { tolerance } from '../../runtime/clock-watch.ts'
import type { Proof, Removal, Verdict } from './prove.ts'

/** As many as the schema takes. */
const mostResiduals = 64

type EndOfGrant = Pick<Extract<GrantPlan, { kind: 'End' }>, 'state' | 'at' | 'message'>

/** The status of a grant that waits, for a time or for something that is missing. */
export function waitingStatus(
  grant: NHIGrant,
  plan: Extract<GrantPlan, { kind: 'Wait' }>,
  now: Instant,
): NHIGrantStatus {
  const { approvals } = plan
  const state = approvals === null ? 'Pending' : 'AwaitingApproval'
  const changed = { state, ...(approvals !== null && { approvals }) } as const
  return conclude(without(grant, 'approvals'), changed, [ready('False', plan.reason, plan.message)], now)
}

/** Stalled is how kstatus knows that waiting will not help: somebody has to act. */
export function deniedStatus(grant: NHIGrant, reason: string, message: string, now: Instant): NHIGrantStatus {
  const ended = { state: 'Denied', endedAt: formatInstant(now), endedReason: clip(message) } as const
  return conclude(
    grant,
    ended,
    [ready('False', reason, message), { type: 'Stalled', status: 'True', reason, message }],
    now,
  )
}

/** Everything that ending the grant will need, before the first object exists. */
export function recordedStatus(
  grant: NHIGrant,
  record: GrantRecord,
  now: Instant,
  clocksDiffer: Millis = 0,
): NHIGrantStatus {
  const { policy, subject } = record
  return conclude(
    without(grant, 'approvals'),
    {
      state: 'Pending',
      policy: { version: policy.version, digest: policy.digest },
      subject: { username: subject.name, ...(subject.uid === null ? {} : { uid: subject.uid }) },
      rules: record.rules.map(({ verbs, apiGroups = [], resources = [], resourceNames = [] }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames.length > 0 ? { resourceNames } : {}),
      })),
      ...(record.waive.length > 0 && { waive: record.waive }),
      ...(record.decision.reasons.length > 0 && { decision: record.decision }),
      ...(record.approvals !== null && { approvals: record.approvals }),
      ...(record.untilUid !== null && { until: { uid: record.untilUid } }),
      ...(record.reviewBy !== null && { review: { dueBy: formatInstant(record.reviewBy) } }),
      ...(record.onRevoke !== null && { onRevoke: record.onRevoke }),
      issuedAt: formatInstant(record.issuedAt),
      notAfter: formatInstant(record.notAfter),
      objects: recordedObjects(grant, record),
    },
    [ready('False', 'Issuing', `until ${formatInstant(record.notAfter)}`), ...clockDisagreement(grant, clocksDiffer)],
    now,
  )
}

/** What an earlier try has recorded stays listed, whether or not this one needs it: it may exist. */
function recordedObjects(grant: NHIGrant, record: GrantRecord): NonNullable<NHIGrantStatus['objects']> {
  const before = grant.status?.objects ?? []
  const isNew = ({ kind, name }: { readonly kind: string; readonly name: string }): boolean =>
    !before.some((object) => object.kind === kind && object.name === name)
  return [...before, ...record.objects.filter(isNew).map(({ kind, name }) => ({ kind, name }))]
}

/** What was created of a grant that is not Active yet. */
export function uidsStatus(grant: NHIGrant, uids: ReadonlyMap<string, string>): NHIGrantStatus {
  const objects = (grant.status?.objects ?? []).map(({ kind, name }) => {
    const uid = uids.get(`${kind}/${name}`)
    return uid === undefined ? { kind, name } : { kind, name, uid }
  })
  return { ...grant.status, objects }
}

/** tokenExpiresAt null: it has no credential. */
export function activeStatus(
  grant: NHIGrant,
  uids: ReadonlyMap<string, string>,
  tokenExpiresAt: Instant | null,
  now: Instant,
): NHIGrantStatus {
  const { objects = [] } = uidsStatus(grant, uids)
  const credential = tokenExpiresAt === null ? {} : { credential: { expiresAt: formatInstant(tokenExpiresAt) } }
  const message = `active until ${grant.status?.notAfter ?? ''}`
  const active = { state: 'Active', objects, ...credential } as const
  return conclude(grant, active, [ready('True', 'Active', message), issued(message)], now)
}

/**
 * A grant whose objects are deleted. It has no Ready condition: it is neither in force nor failing, and kstatus calls it
 * current.
 */
export function endedStatus(
  grant: NHIGrant,
  end: EndOfGrant,
  { verdict, goneAt, askedAt }: Proof,
  removal: CredentialRemoval,
): NHIGrantStatus {
  const overstay = formatOverstay(Math.max(0, goneAt - end.at))
  return conclude(
    without(grant, 'ending'),
    {
      state: end.state,
      endedAt: formatInstant(end.at),
      endedReason: clip(end.message),
      revocation: { ...revocation(verdict, overstay, formatInstant(askedAt)), ...instantsOf(grant, removal) },
    },
    [
      { type: end.state, status: 'True', reason: end.state, message: end.message },
      { type: 'RevocationVerified', ...verification(verdict, overstay) },
      ...leftOf(removal),
    ],
    askedAt,
  )
}

/** When the parts of a grant with a credential were gone. */
type CredentialRemoval = Pick<Removal, 'bindingsRemovedAt' | 'secretRemovedAt' | 'forbidden'>

/** Those of the first removal: that of what was gone already says nothing. */
function instantsOf(
  { status }: NHIGrant,
  { bindingsRemovedAt, secretRemovedAt }: CredentialRemoval,
): NonNullable<NHIGrantStatus['revocation']> {
  if (!(status?.objects ?? []).some(({ kind }) => kind === 'Secret')) return {}
  const { bindingsRemovedAt: bindings, secretRemovedAt: secret } = status?.revocation ?? {}
  const secretAt = secret ?? (secretRemovedAt === null ? undefined : formatInstant(secretRemovedAt))
  return {
    bindingsRemovedAt: bindings ?? formatInstant(bindingsRemovedAt),
    ...(secretAt !== undefined && { secretRemovedAt: secretAt }),
  }
}

function leftOf({ forbidden }: CredentialRemoval): readonly Conclusion[] {
  if (forbidden.length === 0) return []
  const message = `the operator may not remove ${forbidden.join(' and ')}: its bindings are gone, and a token of it gives nothing`
  return [{ type: 'CredentialRemoved', status: 'False', reason: 'Forbidden', message }]
}

/** In ms while every one of them counts. */
function formatOverstay(overstay: Millis): string {
  return overstay < 10_000 ? `${Math.round(overstay)}ms` : formatDuration(overstay)
}

/** verifiedAt is what lets a grant rest; an access that is still held has no overstay yet, and one that never was has none. */
function revocation(verdict: Verdict, overstay: string, verifiedAt: string): NonNullable<NHIGrantStatus['revocation']> {
  switch (verdict.kind) {
    case 'NoAccess':
      return { verifiedAt }
    case 'AccessDenied':
      return { verifiedAt, overstay }
    case 'Unsettled':
      return { overstay }
    case 'HeldByFinalizer':
      return {}
    case 'HeldOtherwise':
      return {
        verifiedAt,
        overstay,
        residual: verdict.sources.slice(0, mostResiduals).map((source) => clip(source, 300)),
      }
  }
}

/** When an ended grant was first found to be allowed something still; null: it was not, or that was settled. */
export function whenUnsettled(grant: NHIGrant): Instant | null {
  const verified = grant.status?.conditions?.find(({ type }) => type === 'RevocationVerified')
  return verified?.status === 'Unknown' ? parseInstant(verified.lastTransitionTime) : null
}

function verification(verdict: Verdict, overstay: string): Omit<Conclusion, 'type'> {
  switch (verdict.kind) {
    case 'NoAccess':
      return {
        status: 'True',
        reason: verdict.kind,
        message: 'it gave no access: what it waived is judged again since its end',
      }
    case 'AccessDenied':
      return {
        status: 'True',
        reason: verdict.kind,
        message: `the API server denies what was granted, ${overstay} after the end`,
      }
    case 'Unsettled':
      return {
        status: 'Unknown',
        reason: verdict.kind,
        message:
          "the grant's own bindings are gone; the API server is asked again, since it still allows what they gave",
      }
    case 'HeldByFinalizer':
      return {
        status: 'False',
        reason: verdict.kind,
        message: `the access lasts until the finalizers are gone that hold the grant's own bindings: ${verdict.bindings.join(', ')}`,
      }
    case 'HeldOtherwise':
      return {
        status: 'False',
        reason: verdict.kind,
        message: `the grant's own bindings are gone, but some of the access is given by ${verdict.sources.join(', ')}`,
      }
  }
}

/** It ends earlier than was recorded, and says why. */
export function shortenedStatus(
  grant: NHIGrant,
  { notAfter, message }: Extract<GrantPlan, { kind: 'Shorten' }>,
  now: Instant,
): NHIGrantStatus {
  const others = (grant.status?.conditions ?? []).filter(({ type }) => type !== 'Constrained')
  return conclude(
    grant,
    { notAfter: formatInstant(notAfter) },
    [...others, { type: 'Constrained', status: 'True', reason: 'Shortened', message }],
    now,
  )
}

export function reviewedStatus(grant: NHIGrant, by: string, now: Instant): NHIGrantStatus {
  return { ...seenStatus(grant), review: { ...grant.status?.review, reviewedBy: by, reviewedAt: formatInstant(now) } }
}

/** A grant at rest whose spec was touched since: a revocation that came after the end changes nothing. */
export function seenStatus(grant: NHIGrant): NHIGrantStatus {
  return { ...grant.status, observedGeneration: grant.metadata.generation ?? 0 }
}

/** Said once: a grant that is recorded again, after a crash, keeps the end that it had. */
function clockDisagreement({ status }: NHIGrant, clocksDiffer: Millis): readonly Conclusion[] {
  if (clocksDiffer <= tolerance || status?.notAfter !== undefined) return []
  const message = `when it was issued, clocks differed by ${formatDuration(clocksDiffer)}: it is so much shorter`
  return [{ type: 'ClockDisagreement', status: 'True', reason: 'ClocksDiffer', message }]
}

function ready(status: 'True' | 'False', reason: string, message: string): Conclusion {
  return { type: 'Ready', status, reason, message }
}

function issued(message: string): Conclusion {
  return { type: 'Issued', status: 'True', reason: 'Issued', message }
}

/** It has the approvals that it needs since it is Active. */
export function approvedStatus(grant: NHIGrant, approvals: AskedApprovals): NHIGrantStatus {
  return { ...grant.status, approvals }
}

/** Before anything is concluded: what is not said of the grant any more. */
function without(grant: NHIGrant, field: 'approvals' | 'ending'): NHIGrant {
  const { [field]: _, ...status } = grant.status ?? {}
  return { ...grant, status }
}

/** Fields are added to what the status holds, never taken away: timestamps stay. */
function conclude(
  grant: NHIGrant,
  changed: NHIGrantStatus,
  conclusions: readonly Conclusion[],
  now: Instant,
): NHIGrantStatus {
  const generation = grant.metadata.generation ?? 0
  const before = grant.status?.conditions ?? []
  // how it was issued stays true
  const lasting = before.filter(({ type }) => type === 'ClockDisagreement')
  return {
    ...grant.status,
    ...changed,
    observedGeneration: generation,
    conditions: mergeConditions(before, [...conclusions, ...lasting], generation, now),
  }
}
