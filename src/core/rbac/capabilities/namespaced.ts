import { requests, writes, type Capability } from '../capability.ts'

/** Read access to named Secrets is how a workload is meant to get its own, and is only put on record. */
export const secretsRead: Capability = {
  id: 'secrets-read',
  code: 'R03',
  severity: 'Critical',
  title: 'Read Secrets',
  what: 'get, list or watch of Secrets, without names. With names it is only put on record, with severity Info.',
  remedy: 'Mount the Secret that is needed, or grant get with resourceNames',
  references: ['CIS 1.12 5.1.2', 'Kubescape C-0015', 'OWASP NHI2:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['list', 'watch', 'get'],
        apiGroup: '',
        resources: ['secrets'],
        reach: 'Namespace',
        name: 'Unnamed',
      }),
    ],
  ],
  harmlessWays: [
    [
      requests({
        verbs: ['get', 'list', 'watch'],
        apiGroup: '',
        resources: ['secrets'],
        reach: 'Namespace',
        name: 'Any',
      }),
    ],
  ],
}

/** A Secret of type service-account-token makes the cluster mint a token that does not end. Named Secrets do not count. */
export const secretsWrite: Capability = {
  id: 'secrets-write',
  code: 'R04',
  severity: 'Critical',
  title: 'Write Secrets, and so mint tokens',
  what: 'create, update or patch of Secrets, without names: a Secret of type service-account-token is filled with a token that does not end.',
  remedy: 'Let a secrets controller write them, or grant update with resourceNames',
  references: ['OWASP NHI7:2025'],
  judgedBy: 'Requests',
  ways: [[requests({ verbs: writes, apiGroup: '', resources: ['secrets'], reach: 'Namespace', name: 'Unnamed' })]],
}

const workloadKinds = ['deployments', 'daemonsets', 'statefulsets', 'replicasets']

/** Whoever writes a pod template runs as any ServiceAccount of the namespace and mounts any Secret in it. */
export const workloadCreate: Capability = {
  id: 'workload-create',
  code: 'R05',
  severity: 'Critical',
  title: 'Run Pods as any ServiceAccount of the namespace',
  what: 'create of Pods, and create, update or patch of what makes Pods.',
  remedy: 'Ask for a time-bound grant for the rollout instead of standing access',
  references: ['CIS 1.12 5.1.4', 'Kubescape C-0188', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({ verbs: ['create'], apiGroup: '', resources: ['pods'], reach: 'Namespace', name: 'Any' }),
        ...requests({ verbs: writes, apiGroup: 'apps', resources: workloadKinds, reach: 'Namespace', name: 'Any' }),
        ...requests({
          verbs: writes,
          apiGroup: 'batch',
          resources: ['jobs', 'cronjobs'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({
          verbs: writes,
          apiGroup: '',
          resources: ['replicationcontrollers'],
          reach: 'Namespace',
          name: 'Any',
        }),
      ],
    ],
  ],
}

/** Only the image of a running Pod can be swapped, so access to one named Pod does not count. */
export const podMutate: Capability = {
  id: 'pod-mutate',
  code: 'R06',
  severity: 'High',
  title: 'Change running Pods',
  what: 'update or patch of Pods, without names: the image of a running container can be swapped.',
  remedy: 'Change the workload that owns the Pods, under a grant',
  references: ['OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [requests({ verbs: ['update', 'patch'], apiGroup: '', resources: ['pods'], reach: 'Namespace', name: 'Unnamed' })],
  ],
}

/**
 * Act inside running containers, with their identity. `get` counts whatever the server: before Kubernetes 1.35 it opens exec,
 * attach and portforward over a WebSocket, a policy does not know which servers it will meet, and from 1.35 on the verb is of
 * no use to a role. The proxies pass any HTTP method on.
 */
export const exec: Capability = {
  id: 'exec',
  code: 'R07',
  severity: 'High',
  title: 'Act inside running containers',
  what: 'exec, attach, portforward and the proxies of Pods and Services, and ephemeral containers. get counts as create does: before Kubernetes 1.35 it is enough.',
  remedy: 'Ask for a time-bound grant for the investigation',
  references: ['Kubescape C-0002', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({
          verbs: ['create', 'get'],
          apiGroup: '',
          resources: ['pods/exec', 'pods/attach', 'pods/portforward'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({
          verbs: ['create', 'get', 'update', 'patch', 'delete'],
          apiGroup: '',
          resources: ['pods/proxy', 'services/proxy'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({
          verbs: ['update', 'patch'],
          apiGroup: '',
          resources: ['pods/ephemeralcontainers'],
          reach: 'Namespace',
          name: 'Any',
        }),
      ],
    ],
  ],
}
