import { describeIdentity } from '../core/identity.ts'
import { describePolicy, type PermissionSet, type Policy } from '../core/policy/policy.ts'
import { describeRule } from '../core/rbac/rule.ts'
import type { Instant } from '../core/time.ts'
import { formatInstant } from '../core/time.ts'
import { grantName, type GrantRow } from './grant-row.ts'
import { timeLeft } from './time-left.ts'

export type Decision = 'Approve' | 'Deny' | 'Review'

/** Everything that an approval answers for. `policy` null: it is gone, or of another version than the grant was issued under. */
export function approvalText(grant: GrantRow, policy: Policy | null, now: Instant): string {
  const { spec, status } = grant
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['grant', `${grantName(grant)} (${grant.state})`],
    ['subject', describeIdentity(grant.subject)],
    ['policy', policy === null ? `${grant.policy.name}@${grant.policy.version ?? '?'}` : describePolicy(policy)],
    ['asked by', spec.requestedBy],
    ['for', spec.reason],
    ['ticket', spec.ticket],
    ['incident', spec.breakGlass?.incident],
    ['lasts', lasts(grant, now)],
    ['ends with', spec.until === undefined ? undefined : `${spec.until.kind} ${spec.until.name}`],
    ['token in', spec.credential === undefined ? undefined : `Secret ${spec.credential.secretName}`],
    ['waives', spec.waive?.join(', ')],
    ...(status.decision?.reasons ?? []).map(({ condition, message }) => ['fails', `${condition}: ${message}`] as const),
  ]
  const told = rows.filter((row): row is readonly [string, string] => row[1] !== undefined)
  const lines = told.map(([name, text]) => `  ${`${name}:`.padEnd(11)}${oneLine(text)}\n`)
  return [...lines, ...permissionLines(grant, policy)].join('')
}

function lasts({ spec, notAfter }: GrantRow, now: Instant): string {
  if (spec.duration !== undefined) return `${spec.duration} from its issue`
  if (notAfter === null) return 'as long as the policy says, from its issue'
  return `until ${formatInstant(notAfter)} (${timeLeft(notAfter, now)} left)`
}

/** What people write may hold line breaks that pass for ours, and sequences that a terminal obeys. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

function permissionLines({ spec }: GrantRow, policy: Policy | null): readonly string[] {
  const rules = spec.rules ?? []
  const own = rules.map((rule) => `      ${oneLine(describeRule(rule))}\n`)
  if (own.length > 0) return [`  only:      of ${(spec.permissions ?? []).join(', ')}\n`, ...own]
  return (spec.permissions ?? []).flatMap((name) => {
    const set = policy?.permissions.find((each) => each.name === name)
    return [`  may:       ${name}${set === undefined ? ' (the policy does not have it now)' : ''}\n`, ...setLines(set)]
  })
}

function setLines(set: PermissionSet | undefined): readonly string[] {
  if (set === undefined) return []
  if (set.kind === 'ClusterRole') return [`      whatever ClusterRole ${set.clusterRole} says\n`]
  return set.rules.map((rule) => `      ${oneLine(describeRule(rule))}\n`)
}
