import type { KubeObject } from '../../test/support/admin-api.ts'
import { policyName } from './lapse-cluster.ts'

/** A Deployment of the usual size, as its author writes it: two containers with a probe, resources, environment and volumes. */
export function deployment(namespace: string, serviceAccountName: string, kind: 'passing' | 'failing'): KubeObject {
  const labels = { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/part-of': 'payments' }
  const annotations = { 'lapse.dev/policy': `${policyName}@1.0.0`, 'prometheus.io/scrape': 'true' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `api-${kind}`, namespace, labels },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations },
        spec: {
          serviceAccountName,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [api(kind), sidecar()],
          volumes: [
            { name: 'settings', configMap: { name: 'api-settings' } },
            { name: 'scratch', emptyDir: { sizeLimit: '64Mi' } },
            ...(kind === 'failing' ? [{ name: 'node', hostPath: { path: '/etc' } }] : []),
          ],
        },
      },
    },
  }
}

function api(kind: 'passing' | 'failing'): object {
  return {
    ...container('api', 8443),
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'DATABASE_PASSWORD', valueFrom: { secretKeyRef: { name: 'api-database', key: 'password' } } },
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ],
    volumeMounts: [
      { name: 'settings', mountPath: '/etc/api', readOnly: true },
      { name: 'scratch', mountPath: '/tmp' },
      ...(kind === 'failing' ? [{ name: 'node', mountPath: '/node' }] : []),
    ],
    ...(kind === 'failing' && { securityContext: { privileged: true } }),
  }
}

function sidecar(): object {
  return { ...container('proxy', 9443), args: ['--upstream=127.0.0.1:8443', '--drain=20s', '--access-log=json'] }
}

function container(name: string, containerPort: number): object {
  const httpGet = { path: '/healthz', port: 'https', scheme: 'HTTPS' }
  return {
    name,
    image: `registry.example.com/payments/${name}:2041`,
    ports: [{ name: name === 'api' ? 'https' : 'proxy', containerPort }],
    resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '512Mi' } },
    readinessProbe: { httpGet, periodSeconds: 5 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  }
}
