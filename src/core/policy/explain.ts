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

/** The refusal as its reader sees it, in a terminal or in the log of a pipeline: every finding, owner, next step. */
export function explain(refusal: Refusal): string {
  const width = Math.max(0, ...refusal.findings.map((finding) => finding.check.length)) + 2
  const lines = [`denied by lapse: ${refusal.what} ${refusal.why}`]
  for (const finding of refusal.findings) {
    const where = finding.path === '' ? '' : `${finding.path}: `
    lines.push(`  ${`[${finding.check}]`.padEnd(width)} ${where}${finding.message}`)
    if (finding.remedy !== '') lines.push(`  ${' '.repeat(width)} → ${finding.remedy}`)
  }
  for (const owner of ownersOnce(refusal.owners)) lines.push(`owner: ${owner}`)
  return [...lines, ...refusal.next].join('\n')
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
