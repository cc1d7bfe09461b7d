import { formatInstant, parseInstant, type Instant } from '../core/time.ts'
import { conditionOf, grantName, hasEnded, policyText, type GrantRow } from './grant-row.ts'
import { linesOfText } from './one-line.ts'
import { timeLeft } from './time-left.ts'

/** What a grant that is neither Active nor over still lacks, and who can do something about it. */
export function waitingText(row: GrantRow): string {
  const why = conditionOf(row, 'Ready')?.message ?? 'the controller of lapse has not seen it yet'
  const place = row.namespace === '' ? '--cluster -n NAMESPACE-OF-LAPSE' : `-n ${row.namespace}`
  const approve = `  to approve: lapse approve ${row.name} ${place} --reason …`
  return linesOfText([`  ${row.state}: ${why}`, ...(row.state === 'AwaitingApproval' ? [approve] : [])])
}

/** What became of a grant, in a line or two. */
export function outcomeText(row: GrantRow, now: Instant): string {
  const subject = `${row.kind} ${grantName(row)} under ${policyText(row)}`
  if (row.state === 'Active')
    return linesOfText([`${subject} is Active${untilText(row, now)}`, ...credentialLines(row)])
  if (hasEnded(row)) return linesOfText([`${subject} is ${row.state}: ${endedWhy(row)}`, ...endLines(row)])
  return `${linesOfText([`${subject} is still ${row.state}`])}${waitingText(row)}`
}

function untilText({ notAfter }: GrantRow, now: Instant): string {
  return notAfter === null ? '' : ` until ${formatInstant(notAfter)} (${timeLeft(notAfter, now)} left)`
}

function credentialLines({ spec: { credential }, namespace }: GrantRow): readonly string[] {
  return credential === undefined ? [] : [`  its token is in Secret ${namespace}/${credential.secretName}`]
}

function endedWhy(row: GrantRow): string {
  return row.status.endedReason ?? conditionOf(row, 'Ready')?.message ?? 'no reason is recorded'
}

/** When the access ended, and whether that is proved; empty for a grant that never gave any. */
function endLines(row: GrantRow): readonly string[] {
  const { endedAt, revocation = {}, issuedAt } = row.status
  if (issuedAt === undefined) return []
  const at = endedAt === undefined ? null : parseInstant(endedAt)
  const proof = conditionOf(row, 'RevocationVerified')
  const overstay = revocation.overstay === undefined ? '' : `, over-stay ${revocation.overstay}`
  const residual = revocation.residual ?? []
  return [
    ...(at === null ? [] : [`  ended at ${formatInstant(at)}${overstay}`]),
    ...(proof === null ? [] : [`  ${proof.message}`]),
    ...(residual.length === 0 ? [] : [`  still given by ${residual.join(', ')}`]),
  ]
}

/** Whether its end is there, and the API server has been asked about it. */
export function endIsSettled(row: GrantRow): boolean {
  if (!hasEnded(row)) return false
  const proof = conditionOf(row, 'RevocationVerified')?.status
  return row.status.issuedAt === undefined || proof === 'True' || proof === 'False'
}

/** Whether the access is gone for certain. */
export function endIsProved(row: GrantRow): boolean {
  return (
    endIsSettled(row) &&
    (row.status.issuedAt === undefined || conditionOf(row, 'RevocationVerified')?.status === 'True')
  )
}
