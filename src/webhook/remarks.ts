import { describePolicy } from '../core/policy/policy.ts'
import { isCounted, type PolicyFinding } from '../core/workload/review.ts'
import { describeWaiver, type Waiver } from '../core/workload/waivers.ts'
import { warningOf } from './answer.ts'

/** Characters of the findings in one audit event. */
const longestRecord = 8_192

/** What policies in Warn mode say, and what would have been told or refused if it were not waived; a line each. */
export function warningsOf(findings: readonly PolicyFinding[]): readonly string[] {
  return findings
    .filter((finding) => finding.enforcement === 'Warn' || (finding.enforcement === 'Deny' && !isCounted(finding)))
    .map((finding) => warningOf(`${describe(finding)}${byWaiver(finding)} (policy ${describePolicy(finding.policy)})`))
}

/** What every policy says, whatever its mode, for the audit log. */
export function auditAnnotationsOf(findings: readonly PolicyFinding[]): Readonly<Record<string, string>> {
  if (findings.length === 0) return {}
  const policies = new Set(findings.map(({ policy }) => describePolicy(policy)))
  const counted = findings.filter(isCounted)
  const waived = findings.filter((finding) => !isCounted(finding))
  return {
    policies: [...policies].join(','),
    ...(counted.length > 0 && { findings: recordOf(counted) }),
    ...(waived.length > 0 && { waivers: recordOf(waived) }),
  }
}

function recordOf(findings: readonly PolicyFinding[]): string {
  const record = findings.map((finding) => `${finding.enforcement} ${describe(finding)}${byWaiver(finding)}`).join('; ')
  return record.length <= longestRecord ? record : `${record.slice(0, longestRecord - 1).toWellFormed()}…`
}

function describe({ check, path, message }: PolicyFinding): string {
  return `[${check}] ${path === '' ? '' : `${path}: `}${message}`
}

function byWaiver({ waivedBy }: { readonly waivedBy?: Waiver }): string {
  return waivedBy === undefined ? '' : `; ${describeWaiver(waivedBy)}`
}
