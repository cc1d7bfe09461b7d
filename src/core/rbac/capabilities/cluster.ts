import { requests, writes, writesAndDeletes, type Capability } from '../capability.ts'

/** The kubelet's API: exec into every container of the node, past admission and audit. Any HTTP method will do. */
export const nodesProxy: Capability = {
  id: 'nodes-proxy',
  code: 'R13',
  severity: 'Critical',
  title: 'Reach the API of kubelets',
  what: 'Any HTTP method on nodes/proxy in the whole cluster.',
  remedy: 'Grant nodes/metrics, nodes/stats or nodes/log instead',
  references: ['CIS 1.12 5.1.10', 'Kubescape C-0279', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['get', 'create', 'update', 'patch', 'delete'],
        apiGroup: '',
        resources: ['nodes/proxy'],
        reach: 'Cluster',
        name: 'Any',
      }),
    ],
  ],
}

/** A hostPath volume behind a claim, where Pod Security does not see it. */
export const pvCreate: Capability = {
  id: 'pv-create',
  code: 'R16',
  severity: 'High',
  title: 'Create PersistentVolumes, and so mount host paths',
  what: 'create of PersistentVolumes.',
  remedy: 'Use a StorageClass with a provisioner',
  references: ['CIS 1.12 5.1.9', 'Kubescape C-0278', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [requests({ verbs: ['create'], apiGroup: '', resources: ['persistentvolumes'], reach: 'Cluster', name: 'Any' })],
  ],
}

/**
 * Labels of a namespace carry its Pod Security level and what selectors see. The API server asks in the namespace itself,
 * so a RoleBinding in it is enough, and it takes labels by the subresources too (pkg/registry/core/namespace, strategy.go).
 */
export const namespaceWrite: Capability = {
  id: 'namespace-write',
  code: 'R17',
  severity: 'High',
  title: 'Change the labels of namespaces',
  what: 'update or patch of Namespaces, namespaces/status or namespaces/finalize: their labels decide over Pod Security, network policies and which policies apply.',
  remedy: 'Leave namespaces to those who run the cluster',
  references: ['OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['update', 'patch'],
        apiGroup: '',
        resources: ['namespaces', 'namespaces/status', 'namespaces/finalize'],
        reach: 'Namespace',
        name: 'Any',
      }),
    ],
  ],
}

/**
 * Where Pods run. A taint NoExecute evicts by itself, so nodes alone is enough; nodes/status carries labels and capacity but no
 * taints, and steers only together with a way to have Pods placed anew.
 */
export const nodeWrite: Capability = {
  id: 'node-write',
  code: 'R18',
  severity: 'High',
  title: 'Change nodes, and so where Pods run',
  what: 'update or patch of Nodes; or of nodes/status together with the removal or eviction of Pods.',
  remedy: 'Remove update and patch of nodes and nodes/status',
  references: ['OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['update', 'patch'],
        apiGroup: '',
        resources: ['nodes'],
        reach: 'Cluster',
        name: 'Any',
      }),
    ],
    [
      requests({
        verbs: ['update', 'patch'],
        apiGroup: '',
        resources: ['nodes/status'],
        reach: 'Cluster',
        name: 'Any',
      }),
      [
        ...requests({
          verbs: ['delete', 'deletecollection'],
          apiGroup: '',
          resources: ['pods'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({ verbs: ['create'], apiGroup: '', resources: ['pods/eviction'], reach: 'Namespace', name: 'Any' }),
      ],
    ],
  ],
}

/** Whose server answers for an API group, and who converts the objects of a kind. */
export const apiExtension: Capability = {
  id: 'api-extension',
  code: 'R21',
  severity: 'High',
  title: 'Put servers of its own behind the API',
  what: 'Writes of APIServices and CustomResourceDefinitions.',
  remedy: 'Install API extensions with the identity that runs the cluster',
  references: ['OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({
          verbs: writes,
          apiGroup: 'apiregistration.k8s.io',
          resources: ['apiservices'],
          reach: 'Cluster',
          name: 'Any',
        }),
        ...requests({
          verbs: writes,
          apiGroup: 'apiextensions.k8s.io',
          resources: ['customresourcedefinitions'],
          reach: 'Cluster',
          name: 'Any',
        }),
      ],
    ],
  ],
}

/** See and change every object that is written, or take the guards away. */
export const admissionControl: Capability = {
  id: 'admission-control',
  code: 'R15',
  severity: 'Critical',
  title: 'Change or remove admission control',
  what: 'Writes and removal of admission webhooks and admission policies.',
  remedy: 'Install admission webhooks and policies with the identity that runs the cluster',
  references: ['CIS 1.12 5.1.12', 'Kubescape C-0281', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: writesAndDeletes,
        apiGroup: 'admissionregistration.k8s.io',
        resources: [
          'validatingwebhookconfigurations',
          'mutatingwebhookconfigurations',
          'validatingadmissionpolicies',
          'validatingadmissionpolicybindings',
          'mutatingadmissionpolicies',
          'mutatingadmissionpolicybindings',
        ],
        reach: 'Cluster',
        name: 'Any',
      }),
    ],
  ],
}
