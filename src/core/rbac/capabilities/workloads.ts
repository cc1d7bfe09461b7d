import type { Capability } from '../capability.ts'
import { requests, writes } from './requests.ts'

const workloadKinds = ['deployments', 'daemonsets', 'statefulsets', 'replicasets']

/** Whoever writes a pod template runs as any ServiceAccount of the namespace and mounts any Secret in it. */
export const workloadCreate: Capability = {
  id: 'workload-create',
  code: 'R05',
  severity: 'Critical',
  title: 'Run Pods as any ServiceAccount of the namespace',
  remedy: 'Ask for a time-bound grant for the rollout instead of standing access',
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
  remedy: 'Change the workload that owns the Pods, under a grant',
  judgedBy: 'Requests',
  ways: [
    [requests({ verbs: ['update', 'patch'], apiGroup: '', resources: ['pods'], reach: 'Namespace', name: 'Unnamed' })],
  ],
}

/**
 * Act inside running containers, with their identity. `get` counts because before Kubernetes 1.35 it opens exec, attach
 * and portforward over a WebSocket, and opens the proxies still.
 */
export const exec: Capability = {
  id: 'exec',
  code: 'R07',
  severity: 'High',
  title: 'Act inside running containers',
  remedy: 'Ask for a time-bound grant for the investigation',
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({
          verbs: ['create', 'get'],
          apiGroup: '',
          resources: ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy'],
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
