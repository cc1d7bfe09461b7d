import type { RawObject } from './requests.ts'

export const namespace = (name: string, labels: Record<string, string> = {}): RawObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

/** `account('payments/api')` */
export function account(place: string, labels: Record<string, string> = {}): RawObject {
  const [space, name] = place.split('/')
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: space, name, uid: `uid of ${place}`, labels },
  }
}

const container = {
  name: 'app',
  image: 'registry.example/app:1',
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
}

export interface PodOptions {
  readonly account?: string
  readonly volumes?: readonly object[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** A pod spec that meets level restricted and runs as `api`. */
export function podSpec({ account: serviceAccountName = 'api', ...fields }: Omit<PodOptions, 'annotations'> = {}) {
  return { serviceAccountName, containers: [container], ...fields }
}

export function pod(
  { annotations = {}, ...options }: PodOptions = {},
  metadata: Readonly<Record<string, unknown>> = {},
): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'payments', name: 'api-1', annotations, ...metadata },
    spec: podSpec(options),
  }
}

export function deployment(
  { annotations = {}, ...options }: PodOptions = {},
  spec: Readonly<Record<string, unknown>> = {},
): RawObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'payments', name: 'api' },
    spec: {
      replicas: 1,
      ...spec,
      template: { metadata: { annotations }, spec: podSpec(options) },
    },
  }
}

export const hostPath = [
  { name: 'tmp', emptyDir: {} },
  { name: 'node', hostPath: { path: '/etc' } },
]

/** Governs every ServiceAccount of payments, and lets payments-leads and the subject itself ask for `rollout`. */
export function policy(
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Readonly<Record<string, unknown>> = {},
): RawObject {
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name: 'payments-deploy', ...metadata },
    spec: {
      version: '1.4.0',
      owner: { name: 'payments-platform', contact: 'payments-oncall@example.com' },
      change: {
        request: 'CHG-20841',
        reason: 'Deployers no longer read Secrets',
        approvedBy: ['ana@example.com'],
        expiresAt: '2027-03-01T00:00:00Z',
      },
      subjects: [{ kind: 'ServiceAccount', namespaceSelector: { matchLabels: { team: 'payments' } }, selector: {} }],
      scope: { namespaceSelector: { matchLabels: { team: 'payments' } } },
      permissions: [
        { name: 'rollout', rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }] },
      ],
      grants: { maxDuration: '1h', requesters: [{ kind: 'Self' }, { kind: 'Group', name: 'payments-leads' }] },
      workloads: { podSecurity: { level: 'restricted' }, forbid: ['secrets-read'] },
      ...spec,
    },
  }
}

export function grant(
  spec: Readonly<Record<string, unknown>> = {},
  metadata: Readonly<Record<string, unknown>> = {},
): RawObject {
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { namespace: 'payments', name: 'rollout-2041', ...metadata },
    spec: {
      policy: { name: 'payments-deploy' },
      subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'api' },
      permissions: ['rollout'],
      duration: '30m',
      reason: 'Roll out release 2041',
      requestedBy: 'ana@example.com',
      ...spec,
    },
  }
}

/** A namespace of team payments with the ServiceAccount api. */
export const payments: readonly RawObject[] = [namespace('payments', { team: 'payments' }), account('payments/api')]

/** Lets payments/api read Secrets for good. */
export const legacyAccess: readonly RawObject[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { namespace: 'payments', name: 'reader', uid: 'r' },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace: 'payments', name: 'legacy', uid: 'b' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'payments', name: 'api' }],
  },
]
