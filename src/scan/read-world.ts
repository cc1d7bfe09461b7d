import type { ScanClient } from '../cluster/ports.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import { WorldIndex, type WorldKind } from '../world/world-index.ts'

/** Grants come last: one that was issued meanwhile is known to own its binding, and what it gives is no standing access. */
const worldResources: readonly (readonly [WorldKind, ResourceType])[] = [
  ['AccessPolicy', resources.accessPolicies],
  ['AccessPolicyRevision', resources.accessPolicyRevisions],
  ['Namespace', resources.namespaces],
  ['ServiceAccount', resources.serviceAccounts],
  ['ClusterRole', resources.clusterRoles],
  ['Role', resources.roles],
  ['ClusterRoleBinding', resources.clusterRoleBindings],
  ['RoleBinding', resources.roleBindings],
  ['NHIGrant', resources.nhiGrants],
  ['ClusterNHIGrant', resources.clusterNhiGrants],
]

/** Everything that decisions look at, as the API server has it now. Not one snapshot: what changes meanwhile is judged by the next scan. */
export async function readWorld(client: Pick<ScanClient, 'pages'>): Promise<WorldIndex> {
  const world = new WorldIndex()
  for (const [kind, type] of worldResources) {
    for await (const page of client.pages(type)) for (const object of page) world.put(kind, object)
  }
  return world
}
