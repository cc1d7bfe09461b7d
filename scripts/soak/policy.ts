import type { AdminApi, KubeObject } from '../../test/support/admin-api.ts'

export const policyName = 'soak'
/** Of the namespaces that the policy is about. */
export const namespaceLabels = { team: 'soak' } as const
export const permission = 'rollout'
export const rule = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'patch'] } as const

/** Version 1.0.`patch`: a new one ends every grant that was issued under the last. */
export function applyPolicy(admin: AdminApi, patch: number): Promise<KubeObject> {
  const namespaceSelector = { matchLabels: namespaceLabels }
  const expiresAt = new Date(Date.now() + 24 * 3_600_000).toISOString()
  return admin.apply(`/apis/lapse.dev/v1alpha1/accesspolicies/${policyName}`, {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name: policyName },
    spec: {
      version: `1.0.${patch}`,
      owner: { name: 'soak' },
      change: { request: `CHG-${patch}`, reason: 'Wear it out', approvedBy: ['ana@example.com'], expiresAt },
      subjects: [{ kind: 'ServiceAccount', namespaceSelector, selector: {} }],
      scope: { namespaceSelector },
      permissions: [{ name: permission, rules: [rule] }],
      grants: { maxDuration: '1h', maxActivePerSubject: 100, requesters: [{ kind: 'Group', name: 'system:masters' }] },
    },
  })
}
