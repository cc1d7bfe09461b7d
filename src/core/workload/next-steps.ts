import type { Finding } from '../finding.ts'
import type { Policy } from '../policy/policy.ts'
import { capabilityIds } from '../rbac/capability.ts'
import { selects } from '../selector.ts'
import type { World } from '../world.ts'
import type { Waiver } from './waivers.ts'

/** A reason for a refusal, unless it is waived. */
type RefusedFinding = Finding & { readonly policy: Pick<Policy, 'name'> | null; readonly waivedBy?: Waiver }

/**
 * What the author of a refused workload can do beside mending it. Access that the identity must not hold for good may
 * still be had for a time, if one of the policies issues grants; and a policy may let a check be waived for a time, by a grant
 * under that very policy.
 */
export function nextSteps(findings: readonly RefusedFinding[], namespace: string, world: World): readonly string[] {
  const refusing = findings.filter(({ waivedBy }) => waivedBy === undefined)
  return [...accessSteps(refusing, namespace, world), ...waiverSteps(refusing, namespace, world)]
}

function accessSteps(findings: readonly RefusedFinding[], namespace: string, world: World): readonly string[] {
  const names = findings.filter(({ check }) => isCapability(check)).flatMap(({ policy }) => policy?.name ?? [])
  const issuing = names.find((name) => (world.policy(name)?.permissions ?? []).length > 0)
  if (issuing === undefined) return []
  return [
    `to ask for time-bound access instead: create an NHIGrant in namespace ${namespace} under policy ${issuing} (kubectl explain nhigrant.spec)`,
  ]
}

function isCapability(check: string): boolean {
  return (capabilityIds as readonly string[]).includes(check)
}

function waiverSteps(findings: readonly RefusedFinding[], namespace: string, world: World): readonly string[] {
  const names = new Set(findings.flatMap(({ policy }) => policy?.name ?? []))
  return [...names].flatMap((name) => {
    const waivable = waivableIn(namespace, world.policy(name), world)
    const own = findings.filter(({ check, policy }) => policy?.name === name && waivable.includes(check))
    if (own.length === 0) return []
    const checks = [...new Set(own.map(({ check }) => check))].join(', ')
    return [
      `to ask for an exception: create an NHIGrant in namespace ${namespace} under policy ${name} with waive: [${checks}] (kubectl explain nhigrant.spec.waive)`,
    ]
  })
}

function waivableIn(namespace: string, policy: Policy | null, world: World): readonly string[] {
  const labels = world.namespaceLabels(namespace)
  if (policy === null || labels === null || !selects(policy.scope, labels)) return []
  return policy.grants?.waivable ?? []
}
