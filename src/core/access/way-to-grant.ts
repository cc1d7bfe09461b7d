import { describePolicy, type Policy } from '../policy/policy.ts'
import { covers } from '../rbac/covers.ts'
import { maxPermissions, type PolicyRule } from '../rbac/rule.ts'
import { selects } from '../selector.ts'
import type { World } from '../world.ts'

/** A grant that would give the access for a time. */
export interface WayToGrant {
  readonly policy: string
  readonly namespace: string
  /** Name of the permission of the policy that covers it. */
  readonly permission: string
}

/** null: the policy has no permission that covers it there. No grant gives anything cluster-wide (`namespace` null). */
export function wayToGrant(
  policy: Policy,
  namespace: string | null,
  wanted: readonly PolicyRule[],
  world: World,
): WayToGrant | null {
  const labels = namespace === null ? null : world.namespaceLabels(namespace)
  if (namespace === null || labels === null || policy.grants === null || !selects(policy.scope, labels)) return null
  if (wanted.length > maxPermissions) return null
  const set = policy.permissions.find((candidate) => {
    const rules = candidate.kind === 'Rules' ? candidate.rules : world.rbac.clusterRole(candidate.clusterRole)?.rules
    return covers(rules ?? [], wanted).covered
  })
  return set === undefined ? null : { policy: policy.name, namespace, permission: set.name }
}

/** One line of a refusal, as in the refusals of workloads. */
export function describeWay({ policy, namespace, permission }: WayToGrant): string {
  return `to ask for time-bound access instead: create an NHIGrant in namespace ${namespace} under policy ${policy} with permissions: [${permission}] (kubectl explain nhigrant.spec)`
}

/** What to do about a finding, in one clause. */
export function remedyOf(policy: Policy, way: WayToGrant | null): string {
  return way === null
    ? `leave it out, or have it listed in workloads.standing of policy ${describePolicy(policy)}`
    : `ask for it with an NHIGrant: permission ${way.permission} of policy ${describePolicy(policy)} covers it`
}
