import { describeIdentity } from '../core/identity.ts'
import { describePolicy, type PermissionSet, type Policy } from '../core/policy/policy.ts'
import { describeRule } from '../core/rbac/rule.ts'
import { formatDuration, formatInstant, type Instant } from '../core/time.ts'
import { grantName, type GrantRow } from './grant-row.ts'
import { linesOfText } from './one-line.ts'
import { timeLeft } from './time-left.ts'

export type Decision = 'Approve' | 'Deny' | 'Review'

/** Everything that an approval answers for. `policy` null: it is gone, or of another version than the grant was issued under. */
export function approvalText(grant: GrantRow, policy: Policy | null, now: Instant): string {
  const { spec, status } = grant
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['grant', `${grantName(grant)} (${grant.state})`],
    ['subject', describeIdentity(grant.subject)],
    ['policy', policy === null ? `${grant.policy.name}@${grant.policy.version ?? '?'}` : describePolicy(policy)],
    ['version', spec.policy.version === undefined ? undefined : `${spec.policy.version} and no other is asked for`],
    ['asked by', spec.requestedBy],
    ['for', spec.reason],
    ['ticket', spec.ticket],
    ['incident', spec.breakGlass?.incident],
    ['begins', spec.notBefore === undefined ? undefined : `not before ${spec.notBefore}`],
    ['lasts', lasts(grant, policy, now)],
    ['ends with', endsWith(grant)],
    ['token in', tokenIn(grant)],
    ['waives', spec.waive?.join(', ')],
    ...(status.decision?.reasons ?? []).map(({ condition, message }) => ['fails', `${condition}: ${message}`] as const),
  ]
  const told = rows.filter((row): row is readonly [string, string] => row[1] !== undefined)
  const lines = told.map(([name, text]) => `  ${`${name}:`.padEnd(11)}${text}`)
  return linesOfText([...lines, ...permissionLines(grant, policy)])
}

function lasts({ spec, notAfter }: GrantRow, policy: Policy | null, now: Instant): string {
  if (spec.duration !== undefined) return `${spec.duration} from its issue`
  if (notAfter !== null) return `until ${formatInstant(notAfter)} (${timeLeft(notAfter, now)} left)`
  const own = policy?.grants?.defaultDuration
  return own === undefined
    ? 'as long as the policy says, from its issue'
    : `${formatDuration(own)} from its issue, as the policy says`
}

function endsWith({ spec: { until } }: GrantRow): string | undefined {
  if (until === undefined) return undefined
  const kind = until.apiVersion === undefined ? until.kind : `${until.apiVersion} ${until.kind}`
  return `${kind} ${until.name}${until.expression === undefined ? '' : `, once ${until.expression}`}`
}

function tokenIn({ spec: { credential } }: GrantRow): string | undefined {
  if (credential === undefined) return undefined
  const { secretName, audiences = [] } = credential
  return `Secret ${secretName}${audiences.length === 0 ? '' : `, for ${audiences.join(', ')}`}`
}

function permissionLines({ spec }: GrantRow, policy: Policy | null): readonly string[] {
  const rules = spec.rules ?? []
  const own = rules.map((rule) => `      ${describeRule(rule)}`)
  if (own.length > 0) return [`  only:      of ${(spec.permissions ?? []).join(', ')}`, ...own]
  return (spec.permissions ?? []).flatMap((name) => {
    const set = policy?.permissions.find((each) => each.name === name)
    return [`  may:       ${name}${set === undefined ? ' (the policy does not have it now)' : ''}`, ...setLines(set)]
  })
}

function setLines(set: PermissionSet | undefined): readonly string[] {
  if (set === undefined) return []
  if (set.kind === 'ClusterRole') return [`      whatever ClusterRole ${set.clusterRole} says`]
  return set.rules.map((rule) => `      ${describeRule(rule)}`)
}
