import { requestCommand } from '../grant/request-command.ts'
import type { Identity } from '../identity.ts'
import { describePolicy, type Policy } from '../policy/policy.ts'
import { covers } from '../rbac/covers.ts'
import { maxPermissions, type PolicyRule } from '../rbac/rule.ts'
import { selects } from '../selector.ts'
import type { World } from '../world.ts'

/** A grant that would give the access for a time. */
export interface WayToGrant {
  readonly policy: string
  readonly namespace: string
  /** Who would get it. */
  readonly subject: Identity
  /** Name of the permission of the policy that covers it. */
  readonly permission: string
}

/** null: the policy has no permission that covers it there. No grant gives anything cluster-wide (`namespace` null). */
export function wayToGrant(
  policy: Policy,
  subject: Identity,
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
  return set === undefined ? null : { policy: policy.name, namespace, subject, permission: set.name }
}

/** One line of a refusal, as in the refusals of workloads. */
export function describeWay({ policy, namespace, subject, permission }: WayToGrant): string {
  const command = requestCommand({ namespace, subject, policy, permissions: [permission], waive: [] })
  return `to ask for time-bound access instead: ${command}`
}

/** What to do about a finding, in one clause. */
export function remedyOf(policy: Policy, way: WayToGrant | null): string {
  return way === null
    ? `leave it out, or have it listed in workloads.standing of policy ${describePolicy(policy)}`
    : `ask for it with an NHIGrant: permission ${way.permission} of policy ${describePolicy(policy)} covers it`
}
