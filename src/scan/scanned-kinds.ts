import { resources, type ResourceType } from '../cluster/resources.ts'

/** What is or makes pods; owners before what they own, so that what is said of an owner is not said again of what it made. */
export const scannedKinds: readonly ResourceType[] = [
  resources.cronJobs,
  resources.daemonSets,
  resources.deployments,
  resources.podTemplates,
  resources.replicationControllers,
  resources.statefulSets,
  resources.jobs,
  resources.replicaSets,
  resources.pods,
]

/** What gives access. */
export const scannedBindings: readonly ResourceType[] = [resources.roleBindings, resources.clusterRoleBindings]
