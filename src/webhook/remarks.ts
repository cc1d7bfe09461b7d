import { describePolicy } from '../core/policy/policy.ts'
import type { PolicyFinding } from '../core/workload/review.ts'
import { warningOf } from './answer.ts'

/** Characters of the findings in one audit event. */
const longestRecord = 8_192

/** What policies in Warn mode say, a line each. */
export function warningsOf(findings: readonly PolicyFinding[]): readonly string[] {
  return findings
    .filter(({ enforcement }) => enforcement === 'Warn')
    .map((finding) => warningOf(`${describe(finding)} (policy ${describePolicy(finding.policy)})`))
}

/** What every policy says, whatever its mode, for the audit log. */
export function auditAnnotationsOf(findings: readonly PolicyFinding[]): Readonly<Record<string, string>> {
  if (findings.length === 0) return {}
  const policies = new Set(findings.map(({ policy }) => describePolicy(policy)))
  const record = findings.map((finding) => `${finding.enforcement} ${describe(finding)}`).join('; ')
  return {
    policies: [...policies].join(','),
    findings: record.length <= longestRecord ? record : `${record.slice(0, longestRecord - 1).toWellFormed()}…`,
  }
}

function describe({ check, path, message }: PolicyFinding): string {
  return `[${check}] ${path === '' ? '' : `${path}: `}${message}`
}
