import { requests, writes, type Capability } from '../capability.ts'

const rbac = 'rbac.authorization.k8s.io'

/** Anything at all: what `kubectl auth can-i '*' '*'` asks. Non-resource URLs add nothing to it. */
export const fullAdmin: Capability = {
  id: 'full-admin',
  code: 'R01',
  severity: 'Critical',
  title: 'Do anything',
  what: 'Whether the rules cover every verb on every resource.',
  remedy: 'Bind a role that lists the verbs and resources that are used',
  references: ['CIS 1.12 5.1.1', 'Kubescape C-0035', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [[requests({ verbs: ['*'], apiGroup: '*', resources: ['*'], reach: 'Namespace', name: 'Unnamed' })]],
}

/** A star covers what a later version of the cluster adds, so no hypothetical request of today can stand for it. */
export const wildcard: Capability = {
  id: 'wildcard',
  code: 'R02',
  severity: 'Medium',
  title: 'Rules with a wildcard',
  what: 'The rules themselves: a star in verbs, API groups or resources covers what is added to the cluster later.',
  remedy: 'List the verbs, API groups and resources instead of `*`',
  references: ['CIS 1.12 5.1.3', 'Kubescape C-0187', 'OWASP NHI5:2025'],
  judgedBy: 'Rules',
  ways: [],
}

/**
 * Hand on rights that one does not hold: `bind` on the role together with the write of a binding, both in one scope.
 * A ClusterRoleBinding needs both in the whole cluster. Source: kubernetes pkg/registry/rbac, BindingAuthorized.
 */
export const bind: Capability = {
  id: 'bind',
  code: 'R10',
  severity: 'Critical',
  title: 'Bind roles beyond its own rights',
  what: 'The verb bind on roles, together with the write of bindings in the same scope.',
  remedy: 'Remove the verb bind, so that only rights already held can be handed on',
  references: ['CIS 1.12 5.1.8', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({ verbs: ['bind'], apiGroup: rbac, resources: ['clusterroles'], reach: 'Cluster', name: 'Any' }),
      requests({ verbs: writes, apiGroup: rbac, resources: ['clusterrolebindings'], reach: 'Cluster', name: 'Any' }),
    ],
    [
      requests({
        verbs: ['bind'],
        apiGroup: rbac,
        resources: ['clusterroles', 'roles'],
        reach: 'Namespace',
        name: 'Any',
      }),
      requests({ verbs: writes, apiGroup: rbac, resources: ['rolebindings'], reach: 'Namespace', name: 'Any' }),
    ],
  ],
}

/** Write rules that one does not hold into a role. Source: kubernetes pkg/registry/rbac, RoleEscalationAuthorized. */
export const escalate: Capability = {
  id: 'escalate',
  code: 'R11',
  severity: 'Critical',
  title: 'Write roles beyond its own rights',
  what: 'The verb escalate on roles, together with the write of roles in the same scope.',
  remedy: 'Remove the verb escalate, so that only rights already held can be written into a role',
  references: ['CIS 1.12 5.1.8', 'Kubescape C-0191', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({ verbs: ['escalate'], apiGroup: rbac, resources: ['clusterroles'], reach: 'Cluster', name: 'Any' }),
      requests({ verbs: writes, apiGroup: rbac, resources: ['clusterroles'], reach: 'Cluster', name: 'Any' }),
    ],
    [
      requests({ verbs: ['escalate'], apiGroup: rbac, resources: ['roles'], reach: 'Namespace', name: 'Any' }),
      requests({ verbs: writes, apiGroup: rbac, resources: ['roles'], reach: 'Namespace', name: 'Any' }),
    ],
  ],
}

/**
 * Hand on rights that one holds oneself, to whoever a binding is made to name: Kubernetes asks for the verb bind only beyond
 * those. Source: kubernetes pkg/registry/rbac, BindingAuthorized.
 */
export const bindingEdit: Capability = {
  id: 'binding-edit',
  code: 'R12',
  severity: 'Low',
  title: 'Hand its own rights on by bindings',
  what: 'create, update or patch of bindings: without the verb bind only rights already held can be handed on.',
  remedy: 'Remove the write of bindings, and let access be asked for by grants',
  references: ['Aqua KSV-0055', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({
          verbs: writes,
          apiGroup: rbac,
          resources: ['rolebindings'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({
          verbs: writes,
          apiGroup: rbac,
          resources: ['clusterrolebindings'],
          reach: 'Cluster',
          name: 'Any',
        }),
      ],
    ],
  ],
}

/**
 * Both ends of aggregation: a role that it holds takes its rules from whatever ClusterRole carries a label, or it can write
 * ClusterRoles, and so add to what is aggregated.
 */
export const danglingAggregation: Capability = {
  id: 'dangling-aggregation',
  code: 'R26',
  severity: 'Medium',
  title: 'Roles that a label on another role adds to',
  what: 'Bindings to ClusterRoles whose aggregationRule selects by labels other than rbac.authorization.k8s.io/*, and the write of ClusterRoles, which is enough to be aggregated into admin, edit and view.',
  remedy: 'Bind a role with rules of its own, and leave ClusterRoles to those who run the cluster',
  references: ['OWASP K02:2025'],
  judgedBy: 'Aggregation',
  ways: [[requests({ verbs: writes, apiGroup: rbac, resources: ['clusterroles'], reach: 'Cluster', name: 'Any' })]],
}
