import { requests, writes, type Capability } from '../capability.ts'

const networking = 'networking.k8s.io'

/** Where traffic goes, and which may: what a Service stands for, what an Ingress sends where, what a policy lets through. */
export const trafficRedirect: Capability = {
  id: 'traffic-redirect',
  code: 'R19',
  severity: 'Medium',
  title: 'Redirect the traffic of others',
  what: 'Writes of the status of Pods and Services (CVE-2020-8554), of Endpoints, EndpointSlices, Ingresses and NetworkPolicies, and the removal of NetworkPolicies.',
  remedy: 'Leave network objects to the pipeline that owns them, under a grant',
  references: ['Aqua KSV-0056', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({
          verbs: ['update', 'patch'],
          apiGroup: '',
          resources: ['pods/status', 'services/status'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({ verbs: writes, apiGroup: '', resources: ['endpoints'], reach: 'Namespace', name: 'Any' }),
        ...requests({
          verbs: writes,
          apiGroup: 'discovery.k8s.io',
          resources: ['endpointslices'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({
          verbs: writes,
          apiGroup: networking,
          resources: ['networkpolicies', 'ingresses'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({
          verbs: ['delete', 'deletecollection'],
          apiGroup: networking,
          resources: ['networkpolicies'],
          reach: 'Namespace',
          name: 'Any',
        }),
      ],
    ],
  ],
}

/** ConfigMaps that decide who somebody is, or where a name leads. */
const decisive = ['coredns', 'aws-auth', 'extension-apiserver-authentication']

export const systemConfigMap: Capability = {
  id: 'system-configmap',
  code: 'R20',
  severity: 'Critical',
  title: 'Change the ConfigMaps that the cluster runs by',
  what: 'update or patch of the ConfigMaps coredns, aws-auth and extension-apiserver-authentication in kube-system.',
  remedy: 'Name the ConfigMaps that are needed by resourceNames',
  references: ['Aqua KSV-0115', 'Kubescape C-0037', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      decisive.flatMap((exactly) =>
        requests({
          verbs: ['update', 'patch'],
          apiGroup: '',
          resources: ['configmaps'],
          reach: 'Namespace',
          onlyIn: 'kube-system',
          name: { exactly },
        }),
      ),
    ],
  ],
}

const removal = ['delete', 'deletecollection']

/** Removing what one names oneself is daily work, so access to named objects does not count, but for whole namespaces. */
export const destroy: Capability = {
  id: 'destroy',
  code: 'R22',
  severity: 'Medium',
  title: 'Remove workloads, namespaces, volumes or events',
  what: 'delete and deletecollection of what makes Pods, of PersistentVolumes and of Events, without names, and of Namespaces.',
  remedy: 'Grant delete with resourceNames, or by a time-bound grant',
  references: ['Kubescape C-0007', 'Kubescape C-0031', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({ verbs: removal, apiGroup: '', resources: ['namespaces'], reach: 'Namespace', name: 'Any' }),
        ...requests({
          verbs: removal,
          apiGroup: '',
          resources: ['persistentvolumes'],
          reach: 'Cluster',
          name: 'Unnamed',
        }),
        ...requests({
          verbs: removal,
          apiGroup: 'apps',
          resources: ['deployments', 'daemonsets', 'statefulsets', 'replicasets'],
          reach: 'Namespace',
          name: 'Unnamed',
        }),
        ...requests({
          verbs: removal,
          apiGroup: 'batch',
          resources: ['jobs', 'cronjobs'],
          reach: 'Namespace',
          name: 'Unnamed',
        }),
        ...requests({
          verbs: removal,
          apiGroup: '',
          resources: ['replicationcontrollers', 'events'],
          reach: 'Namespace',
          name: 'Unnamed',
        }),
        ...requests({
          verbs: removal,
          apiGroup: 'events.k8s.io',
          resources: ['events'],
          reach: 'Namespace',
          name: 'Unnamed',
        }),
      ],
    ],
  ],
}
