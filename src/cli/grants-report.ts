import { apiVersion } from '../api/v1alpha1/objects.ts'
import { formatInstant, type Instant } from '../core/time.ts'
import { hasEnded, policyText, type GrantRow } from './grant-row.ts'
import { identityText } from './identity-text.ts'
import { oneLine } from './one-line.ts'
import { table } from './table.ts'
import { timeLeft } from './time-left.ts'

const heading = ['NAMESPACE', 'NAME', 'SUBJECT', 'POLICY', 'STATE', 'LEFT', 'REASON']
const longestReason = 60

export function grantsTable(grants: readonly GrantRow[], now: Instant): string {
  return table(
    heading,
    grants.map((grant) =>
      [
        grant.namespace,
        grant.name,
        identityText(grant.subject),
        policyText(grant),
        grant.state,
        left(grant, now) ?? '-',
        shortened(grant.reason),
      ].map(oneLine),
    ),
  )
}

/** null: nothing of it is left, or nothing has begun. */
function left(grant: GrantRow, now: Instant): string | null {
  return grant.notAfter === null || hasEnded(grant) ? null : timeLeft(grant.notAfter, now)
}

function shortened(reason: string): string {
  const line = oneLine(reason).replace(/\s+/gu, ' ').trim()
  return line.length <= longestReason ? line : `${line.slice(0, longestReason - 1)}…`
}

export function grantsDocument(grants: readonly GrantRow[], now: Instant): object {
  return {
    apiVersion,
    kind: 'GrantReport',
    now: formatInstant(now),
    grants: grants.map((grant) => ({
      kind: grant.kind,
      ...(grant.namespace !== '' && { namespace: grant.namespace }),
      name: grant.name,
      subject: grant.subject,
      policy: grant.policy,
      state: grant.state,
      notAfter: grant.notAfter === null ? null : formatInstant(grant.notAfter),
      left: left(grant, now),
      reason: grant.reason,
      requestedBy: grant.spec.requestedBy ?? null,
    })),
  }
}
