import type { Capability } from '../capability.ts'
import { requests, writes } from './requests.ts'

const rbac = 'rbac.authorization.k8s.io'

/** Anything at all: what `kubectl auth can-i '*' '*'` asks. Non-resource URLs add nothing to it. */
export const fullAdmin: Capability = {
  id: 'full-admin',
  code: 'R01',
  severity: 'Critical',
  title: 'Do anything',
  remedy: 'Bind a role that lists the verbs and resources that are used',
  judgedBy: 'Requests',
  ways: [[requests({ verbs: ['*'], apiGroup: '*', resources: ['*'], reach: 'Namespace', name: 'Unnamed' })]],
}

/** A star covers what a later version of the cluster adds, so no hypothetical request of today can stand for it. */
export const wildcard: Capability = {
  id: 'wildcard',
  code: 'R02',
  severity: 'Medium',
  title: 'Rules with a wildcard',
  remedy: 'List the verbs, API groups and resources instead of `*`',
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
  remedy: 'Remove the verb bind, so that only rights already held can be handed on',
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
  remedy: 'Remove the verb escalate, so that only rights already held can be written into a role',
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
