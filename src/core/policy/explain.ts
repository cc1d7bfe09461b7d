import type { Finding } from '../finding.ts'
import { pinChecks } from './pin.ts'
import { describePolicy, type Policy } from './policy.ts'

export interface Refusal {
  /** What was refused: `Deployment payments/api`, `NHIGrant payments/rollout-2041`. */
  readonly what: string
  /** Why, in one clause: `asks for more than policy payments-deploy@1.4.0 allows`. */
  readonly why: string
  readonly findings: readonly Finding[]
  readonly owners: readonly Policy['owner'][]
  /** What to do next, one line each. */
  readonly next: readonly string[]
}

/** Findings that one refusal lists; of the rest it gives the number. */
const mostFindings = 100

/** The refusal as its reader sees it, in a terminal or in the log of a pipeline: findings, owners, next steps. */
export function explain({ what, why, findings, owners, next }: Refusal): string {
  const owned = ownersOnce(owners).map((owner) => `owner: ${owner}`)
  return [`denied by lapse: ${what} ${why}`, ...linesOf(findings), ...owned, ...next].join('\n')
}

function linesOf(findings: readonly Finding[]): readonly string[] {
  const listed = findings.slice(0, mostFindings)
  const width = listed.reduce((widest, { check }) => Math.max(widest, check.length), 0) + 2
  const lines = listed.flatMap(({ check, path, message, remedy }) => [
    `  ${`[${check}]`.padEnd(width)} ${path === '' ? '' : `${path}: `}${message}`,
    ...(remedy === '' ? [] : [`  ${' '.repeat(width)} → ${remedy}`]),
  ])
  const more = findings.length - listed.length
  return more === 0 ? lines : [...lines, `  … and ${more} more`]
}

/** Why something is refused, as one clause: it asks for more, or it only names the wrong version. */
export function whyRefused(
  findings: readonly Finding[],
  policies: readonly Pick<Policy, 'name' | 'version'>[],
): string {
  if (!findings.every(({ check }) => pinChecks.has(check))) return beyondPolicies(policies)
  return `does not follow ${[...new Set(policies.map((policy) => `policy ${describePolicy(policy)}`))].join(' and ')}`
}

export function beyondPolicies(policies: readonly Pick<Policy, 'name' | 'version'>[]): string {
  const names = [...new Set(policies.map(describePolicy))]
  return `asks for more than ${names.length === 1 ? 'policy' : 'policies'} ${names.join(' and ')} ${names.length === 1 ? 'allows' : 'allow'}`
}

function ownersOnce(owners: readonly Policy['owner'][]): readonly string[] {
  return [...new Set(owners.map((owner) => (owner.contact === null ? owner.name : `${owner.name} <${owner.contact}>`)))]
}
