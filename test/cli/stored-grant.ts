import type { KubeObject } from '../../src/cluster/ports.ts'

/** An Active grant as the API server stores it, until half an hour after the tests' instant; spec and status changed as given. */
export function storedGrant(
  changed: { readonly spec?: object; readonly status?: object; readonly name?: string } = {},
): KubeObject {
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { namespace: 'payments', name: changed.name ?? 'debug', uid: 'g1', resourceVersion: '7' },
    spec: {
      policy: { name: 'deploy' },
      subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'api' },
      permissions: ['rollout'],
      duration: '1h',
      reason: 'Release 41',
      requestedBy: 'ana@example.com',
      ...changed.spec,
    },
    status: {
      state: 'Active',
      policy: { version: '1.4.0', digest: 'sha256:1' },
      issuedAt: '2026-12-01T11:30:00.000Z',
      notAfter: '2026-12-01T12:30:00.000Z',
      ...changed.status,
    },
  }
}
