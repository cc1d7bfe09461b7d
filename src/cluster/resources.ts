/** Where objects of one kind live in the API. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

function resource(
  group: string,
  version: string,
  plural: string,
  kind: string,
  scope: 'Namespaced' | 'Cluster',
): ResourceType {
  return { group, version, plural, kind, namespaced: scope === 'Namespaced' }
}

/** Every resource that Lapse touches. */
export const resources = {
  accessPolicies: resource('lapse.dev', 'v1alpha1', 'accesspolicies', 'AccessPolicy', 'Cluster'),
  accessPolicyRevisions: resource('lapse.dev', 'v1alpha1', 'accesspolicyrevisions', 'AccessPolicyRevision', 'Cluster'),
  nhiGrants: resource('lapse.dev', 'v1alpha1', 'nhigrants', 'NHIGrant', 'Namespaced'),
  clusterNhiGrants: resource('lapse.dev', 'v1alpha1', 'clusternhigrants', 'ClusterNHIGrant', 'Cluster'),
  nhiGrantApprovals: resource('lapse.dev', 'v1alpha1', 'nhigrantapprovals', 'NHIGrantApproval', 'Namespaced'),
  nhiSuspensions: resource('lapse.dev', 'v1alpha1', 'nhisuspensions', 'NHISuspension', 'Cluster'),
  namespaces: resource('', 'v1', 'namespaces', 'Namespace', 'Cluster'),
  secrets: resource('', 'v1', 'secrets', 'Secret', 'Namespaced'),
  serviceAccounts: resource('', 'v1', 'serviceaccounts', 'ServiceAccount', 'Namespaced'),
  events: resource('events.k8s.io', 'v1', 'events', 'Event', 'Namespaced'),
  leases: resource('coordination.k8s.io', 'v1', 'leases', 'Lease', 'Namespaced'),
  roles: resource('rbac.authorization.k8s.io', 'v1', 'roles', 'Role', 'Namespaced'),
  clusterRoles: resource('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', 'Cluster'),
  roleBindings: resource('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', 'Namespaced'),
  clusterRoleBindings: resource(
    'rbac.authorization.k8s.io',
    'v1',
    'clusterrolebindings',
    'ClusterRoleBinding',
    'Cluster',
  ),
  pods: resource('', 'v1', 'pods', 'Pod', 'Namespaced'),
  podTemplates: resource('', 'v1', 'podtemplates', 'PodTemplate', 'Namespaced'),
  replicationControllers: resource('', 'v1', 'replicationcontrollers', 'ReplicationController', 'Namespaced'),
  deployments: resource('apps', 'v1', 'deployments', 'Deployment', 'Namespaced'),
  statefulSets: resource('apps', 'v1', 'statefulsets', 'StatefulSet', 'Namespaced'),
  daemonSets: resource('apps', 'v1', 'daemonsets', 'DaemonSet', 'Namespaced'),
  replicaSets: resource('apps', 'v1', 'replicasets', 'ReplicaSet', 'Namespaced'),
  jobs: resource('batch', 'v1', 'jobs', 'Job', 'Namespaced'),
  cronJobs: resource('batch', 'v1', 'cronjobs', 'CronJob', 'Namespaced'),
  reports: resource('openreports.io', 'v1alpha1', 'reports', 'Report', 'Namespaced'),
  clusterReports: resource('openreports.io', 'v1alpha1', 'clusterreports', 'ClusterReport', 'Cluster'),
  validatingWebhookConfigurations: resource(
    'admissionregistration.k8s.io',
    'v1',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    'Cluster',
  ),
  mutatingWebhookConfigurations: resource(
    'admissionregistration.k8s.io',
    'v1',
    'mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
    'Cluster',
  ),
} as const satisfies Record<string, ResourceType>

/** The path of a resource, or of one object of it. namespace empty: cluster scope, or all namespaces. */
export function pathOf(type: ResourceType, namespace: string, name = ''): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  const scope = type.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${type.plural}${name === '' ? '' : `/${encodeURIComponent(name)}`}`
}
