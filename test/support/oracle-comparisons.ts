import { conditions } from './oracle-cel.ts'
import type { Comparison } from './oracle-comparison.ts'
import { escalation } from './oracle-escalation.ts'
import { podSecurity } from './oracle-pod-security.ts'
import { aggregation, allowedSubjects, authorizer, coverage, rulesFor } from './oracle-rbac.ts'

/** A comparison, and how many of its cases go with one pair of rule lists: those of others are larger. */
export interface WeighedComparison {
  readonly comparison: Comparison
  readonly weight: number
}

/** Everything that is compared with Kubernetes' own code. */
export const oracleComparisons: readonly WeighedComparison[] = [
  { comparison: coverage, weight: 1 },
  { comparison: authorizer, weight: 0.05 },
  { comparison: rulesFor, weight: 0.05 },
  { comparison: allowedSubjects, weight: 0.05 },
  { comparison: aggregation, weight: 0.05 },
  { comparison: escalation, weight: 0.05 },
  { comparison: podSecurity, weight: 0.2 },
  { comparison: conditions, weight: 0.2 },
]
