import { highFinding, type Finding } from '../finding.ts'
import { describePolicy, type PermissionSet, type Policy } from '../policy/policy.ts'
import type { World } from '../world.ts'
import type { GrantSpec } from './grant.ts'

/** Whether it gives access in every namespace, and to what has none. */
export function isForCluster({ namespace }: { readonly namespace: string }): boolean {
  return namespace === ''
}

/** How messages name a grant: `payments/rollout`, or `rollout` of one for the whole cluster. */
export function describeGrant({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return namespace === '' ? name : `${namespace}/${name}`
}

/** What stands against giving these permission sets to the whole cluster, beside all that stands against any grant. */
export function reviewClusterGrant(
  spec: Pick<GrantSpec, 'rules'>,
  sets: readonly PermissionSet[],
  policy: Policy,
  world: World,
): readonly Finding[] {
  return [
    ...reviewTerms(world),
    ...reviewScope(policy),
    ...(spec.rules.length > 0 ? [narrower] : []),
    ...sets.flatMap((set) => reviewUrls(set, world)),
  ]
}

/**
 * Why these permission sets cannot be given to the whole cluster as they are; null: each has a ClusterRole. The operator may make
 * ClusterRoles, but remove those of the pool only: one of the grant's own would outlive it.
 */
export function lackOfRoles(sets: readonly PermissionSet[], roles: ReadonlyMap<string, string>): string | null {
  const without = sets.filter((set) => set.kind === 'Rules' && !roles.has(set.name)).map(({ name }) => name)
  if (without.length === 0) return null
  return `no ClusterRole of the pool is left for ${without.join(', ')}: a grant for the whole cluster has no role of its own`
}

function reviewTerms({ clusterGrants }: World): readonly Finding[] {
  if (clusterGrants?.enabled === true) return []
  const message =
    clusterGrants === null
      ? 'it is not known whether the operator gives access to the whole cluster'
      : 'the operator gives no access to the whole cluster'
  const remedy = 'ask for an NHIGrant; whoever runs lapse sets clusterGrants.enabled of its chart'
  return [highFinding('cluster-grants-off', 'kind', message, remedy)]
}

function reviewScope(policy: Policy): readonly Finding[] {
  if (policy.clusterScope) return []
  const message = `policy ${describePolicy(policy)} gives no access to the whole cluster`
  const remedy = 'ask for an NHIGrant in a namespace, or under a policy with spec.scope.cluster: true'
  return [highFinding('cluster-scope-not-allowed', 'kind', message, remedy)]
}

const narrower = highFinding(
  'cluster-grant-whole-sets',
  'spec.rules',
  'a grant for the whole cluster gives permission sets as they are: the operator may remove no ClusterRole of its own',
  'leave the rules out, or have the policy list a narrower permission set',
)

/** A RoleBinding leaves rules for URLs without effect; a ClusterRoleBinding would not, and nobody has judged them. */
function reviewUrls(set: PermissionSet, world: World): readonly Finding[] {
  if (set.kind === 'Rules') return []
  const rules = world.rbac.clusterRole(set.clusterRole)?.rules ?? []
  if (rules.every(({ nonResourceURLs = [] }) => nonResourceURLs.length === 0)) return []
  const message = `ClusterRole ${set.clusterRole} of permission ${set.name} has rules for URLs, which are granted to nobody`
  const remedy = 'have the policy name a ClusterRole without them'
  return [highFinding('cluster-grant-whole-sets', 'spec.permissions', message, remedy)]
}
