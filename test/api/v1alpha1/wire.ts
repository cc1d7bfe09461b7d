/** An object as a user writes it, right or wrong. */
// oxlint-disable-next-line typescript/no-explicit-any -- raw JSON, which each test breaks in its own way
export type Wire = any

const policy = {
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'AccessPolicy',
  metadata: { name: 'payments-deploy' },
  spec: {
    version: '1.4.0',
    owner: { name: 'payments-platform', contact: 'oncall@example.com' },
    change: {
      request: 'CHG-20841',
      reason: 'Deployers no longer read Secrets',
      approvedBy: ['ana@example.com'],
      expiresAt: '2027-03-01T00:00:00Z',
    },
    subjects: [
      {
        kind: 'ServiceAccount',
        namespaceSelector: { matchLabels: { team: 'payments' } },
        selector: { matchExpressions: [{ key: 'lapse.dev/nhi', operator: 'In', values: ['deployer'] }] },
      },
      { kind: 'User', names: ['ci:acme/payments'] },
    ],
    scope: { namespaceSelector: { matchLabels: { team: 'payments' } }, cluster: true },
    permissions: [
      {
        name: 'rollout',
        rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] }],
      },
      { name: 'read-logs', clusterRole: 'payments-log-reader' },
    ],
    grants: {
      maxDuration: '1h',
      defaultDuration: '15m',
      maxActivePerSubject: 3,
      requesters: [{ kind: 'Self' }, { kind: 'Group', name: 'payments-leads' }],
      approval: { required: 1, by: [{ kind: 'Group', name: 'payments-leads' }], within: '4h' },
      breakGlass: {
        requesters: [{ kind: 'User', name: 'ana' }],
        maxDuration: '5m',
        reviewWithin: '24h',
        reviewers: [{ kind: 'Group', name: 'security' }],
      },
      waivable: ['host-path', 'exec'],
      until: [{ apiVersion: 'batch/v1', kind: 'Job' }],
      onRevoke: 'EvictPods',
      retention: '720h',
    },
    workloads: {
      enforcement: 'Warn',
      podSecurity: { level: 'restricted', version: 'v1.36' },
      forbid: ['secrets-read', 'exec'],
      checks: ['secret-in-env', 'needless-token'],
      maxTokenLifetime: '2h',
      pin: { required: true, grace: '24h' },
    },
  },
}

const grant = {
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'NHIGrant',
  metadata: { namespace: 'payments', name: 'rollout-2041' },
  spec: {
    policy: { name: 'payments-deploy', version: '1.4.0' },
    subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
    permissions: ['rollout'],
    rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'], resourceNames: ['api'] }],
    waive: ['host-path'],
    duration: '30m',
    notBefore: '2027-01-15T12:00:00Z',
    reason: 'Roll out release 2041',
    ticket: 'CHG-20855',
    until: { kind: 'Job', name: 'migrate' },
    credential: { secretName: 'rollout-token', audiences: ['vault'] },
    breakGlass: { incident: 'INC-77' },
    requestedBy: 'system:serviceaccount:ci:deployer',
  },
}

const approval = {
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'NHIGrantApproval',
  metadata: { namespace: 'payments', name: 'rollout-2041-ana' },
  spec: {
    grant: { kind: 'NHIGrant', name: 'rollout-2041', uid: 'uid-1' },
    grantDigest: 'sha256:0',
    decision: 'Approve',
    reason: 'Looked at it',
    approver: 'ana',
  },
}

const suspension = {
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'NHISuspension',
  metadata: { name: 'ci-deployer' },
  spec: { subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }, reason: 'leaked', setBy: 'ana' },
}

/** An NHIGrantApproval that uses every field, changed as a test wants it. */
export function nhiGrantApproval(change: (approval: Wire) => void = () => undefined): Wire {
  return changed(approval, change)
}

/** An NHISuspension that uses every field, changed as a test wants it. */
export function nhiSuspension(change: (suspension: Wire) => void = () => undefined): Wire {
  return changed(suspension, change)
}

/** An AccessPolicy that uses every field but conditions, which need their engine, changed as a test wants it. */
export function accessPolicy(change: (policy: Wire) => void = () => undefined): Wire {
  return changed(policy, change)
}

/** An NHIGrant that uses every field but notAfter and revoke, changed as a test wants it. */
export function nhiGrant(change: (grant: Wire) => void = () => undefined): Wire {
  return changed(grant, change)
}

/** The same for the whole cluster: without what lives in a namespace. */
export function clusterNHIGrant(change: (grant: Wire) => void = () => undefined): Wire {
  return changed(twinOf(nhiGrant()), change)
}

/** A grant as it would be for the whole cluster. */
export function twinOf({ metadata, spec, ...object }: Wire): Wire {
  const { namespace: _, ...place } = metadata
  const { waive: __, until: ___, credential: ____, ...rest } = spec
  return { ...object, kind: 'ClusterNHIGrant', metadata: place, spec: rest }
}

function changed(object: object, change: (object: Wire) => void): Wire {
  const copy = structuredClone(object)
  change(copy)
  return copy
}
