import type { Finding } from '../finding.ts'
import type { Policy } from '../policy/policy.ts'
import { capabilityIds } from '../rbac/capability.ts'
import type { World } from '../world.ts'

/**
 * What the author of a refused workload can do beside mending it. Access that the identity must not hold for good may
 * still be had for a time, if one of the policies issues grants.
 */
export function nextSteps(
  findings: readonly (Finding & { readonly policy: Pick<Policy, 'name'> | null })[],
  namespace: string,
  world: World,
): readonly string[] {
  const names = findings.filter(({ check }) => isCapability(check)).flatMap(({ policy }) => policy?.name ?? [])
  const issuing = names.find((name) => (world.policy(name)?.grants ?? null) !== null)
  if (issuing === undefined) return []
  return [
    `to ask for time-bound access instead: create an NHIGrant in namespace ${namespace} under policy ${issuing} (kubectl explain nhigrant.spec)`,
  ]
}

function isCapability(check: string): boolean {
  return (capabilityIds as readonly string[]).includes(check)
}
