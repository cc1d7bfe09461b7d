import type { GrantTerms, Policy, WorkloadTerms } from '../../../src/core/policy/policy.ts'
import { rule } from '../rbac/rbac-of.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** The instant at which the tests of policies and grants take place. */
export const now = Date.UTC(2027, 0, 15, 12)

export const terms: GrantTerms = {
  maxDuration: hour,
  defaultDuration: 15 * minute,
  maxActivePerSubject: 3,
  requesters: [{ kind: 'Self' }, { kind: 'Group', name: 'payments-leads' }],
  waivable: [],
  conditions: [],
  approval: { required: 0, by: [], within: day },
  breakGlass: null,
  until: [],
  onRevoke: null,
  retention: null,
}

export const workloads: WorkloadTerms = {
  enforcement: 'Deny',
  podSecurity: { level: 'restricted', version: 'latest' },
  forbid: [],
  checks: [],
  maxTokenLifetime: null,
  standing: null,
  pin: { required: true, grace: day },
  conditions: [],
}

/** payments-deploy@1.4.0, with other fields where they are given. */
export function policyOf(fields: Partial<Policy> = {}): Policy {
  const version = fields.version ?? '1.4.0'
  return {
    name: 'payments-deploy',
    version,
    digest: `sha256:digest of ${version}`,
    owner: { name: 'payments-platform', contact: 'oncall@example.com' },
    change: {
      request: 'CHG-20841',
      reason: 'Deployers no longer read Secrets',
      approvedBy: ['ana'],
      expiresAt: now + 30 * day,
    },
    subjects: [
      {
        kind: 'ServiceAccount',
        namespaceSelector: { matchLabels: { team: 'payments' } },
        selector: null,
        names: ['deployer'],
      },
      { kind: 'User', names: ['ci:acme/payments'] },
    ],
    scope: { matchLabels: { team: 'payments' } },
    clusterScope: false,
    permissions: [
      { kind: 'Rules', name: 'rollout', rules: [rule('get,list,watch,patch deployments.apps')] },
      { kind: 'Rules', name: 'one-secret', rules: [rule('get secrets', 'tls', 'smtp')] },
      { kind: 'ClusterRole', name: 'read-logs', clusterRole: 'payments-log-reader' },
    ],
    grants: terms,
    workloads,
    ...fields,
  }
}
