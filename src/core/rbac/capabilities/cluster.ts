import type { Capability } from '../capability.ts'
import { requests, writes, writesAndDeletes } from './requests.ts'

/** The kubelet's API: exec into every container of the node, past admission and audit. Any HTTP method will do. */
export const nodesProxy: Capability = {
  id: 'nodes-proxy',
  code: 'R13',
  severity: 'Critical',
  title: 'Reach the API of kubelets',
  remedy: 'Grant nodes/metrics, nodes/stats or nodes/log instead',
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
  remedy: 'Use a StorageClass with a provisioner',
  judgedBy: 'Requests',
  ways: [
    [requests({ verbs: ['create'], apiGroup: '', resources: ['persistentvolumes'], reach: 'Cluster', name: 'Any' })],
  ],
}

/**
 * Labels of a namespace carry its Pod Security level and what selectors see. The API server asks in the namespace itself,
 * so a RoleBinding in it is enough.
 */
export const namespaceWrite: Capability = {
  id: 'namespace-write',
  code: 'R17',
  severity: 'High',
  title: 'Change the labels of namespaces',
  remedy: 'Leave namespaces to those who run the cluster',
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['update', 'patch'],
        apiGroup: '',
        resources: ['namespaces'],
        reach: 'Namespace',
        name: 'Any',
      }),
    ],
  ],
}

export const nodeWrite: Capability = {
  id: 'node-write',
  code: 'R18',
  severity: 'High',
  title: 'Change nodes, and so where Pods run',
  remedy: 'Remove update and patch of nodes and nodes/status',
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['update', 'patch'],
        apiGroup: '',
        resources: ['nodes', 'nodes/status'],
        reach: 'Cluster',
        name: 'Any',
      }),
    ],
  ],
}

/** Whose server answers for an API group, and who converts the objects of a kind. */
export const apiExtension: Capability = {
  id: 'api-extension',
  code: 'R21',
  severity: 'High',
  title: 'Put servers of its own behind the API',
  remedy: 'Install API extensions with the identity that runs the cluster',
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
  remedy: 'Install admission webhooks and policies with the identity that runs the cluster',
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
