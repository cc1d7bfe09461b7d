import { resources, type ResourceType } from '../cluster/resources.ts'
import type { WorldKind } from './world-index.ts'

/**
 * Where the API server has what decisions look at. Grants come last, for who lists them one after the other: one that was issued
 * meanwhile is known to own its binding, and what it gives is no standing access.
 */
export const worldResources: Readonly<Record<WorldKind, ResourceType>> = {
  AccessPolicy: resources.accessPolicies,
  AccessPolicyRevision: resources.accessPolicyRevisions,
  NHISuspension: resources.nhiSuspensions,
  Namespace: resources.namespaces,
  ServiceAccount: resources.serviceAccounts,
  ClusterRole: resources.clusterRoles,
  Role: resources.roles,
  ClusterRoleBinding: resources.clusterRoleBindings,
  RoleBinding: resources.roleBindings,
  NHIGrant: resources.nhiGrants,
  ClusterNHIGrant: resources.clusterNhiGrants,
}
