import { object } from './object-entry.ts'

export const clusterGrantEntries = [
  object(
    'cluster-grants-off',
    'O90',
    'A grant for the whole cluster where the operator gives none',
    'Every ClusterNHIGrant, against clusterGrants.enabled of the chart.',
    'Ask for an NHIGrant in a namespace, or have the chart value set',
  ),
  object(
    'cluster-scope-not-allowed',
    'O91',
    'A grant for the whole cluster under a policy for namespaces',
    'spec.scope.cluster of the policy of a ClusterNHIGrant.',
    'Ask for an NHIGrant in a namespace that the scope selects, or under another policy',
  ),
  object(
    'cluster-grant-whole-sets',
    'O92',
    'A grant for the whole cluster of anything but whole permission sets',
    'spec.rules of a ClusterNHIGrant, and rules for URLs in the ClusterRoles of its permission sets.',
    'Leave spec.rules out, and name permission sets without rules for URLs',
  ),
  object(
    'approval-misplaced',
    'O93',
    'An approval of a grant for the whole cluster in the wrong namespace',
    'The namespace of an NHIGrantApproval whose grant is a ClusterNHIGrant: that of the operator.',
    'Create it in the namespace of the operator',
  ),
] as const
