import type { AdminApi } from './admin-api.ts'
import { asksForCredential } from './credential-scene.ts'
import { paths, rules, type Scene } from './scene.ts'

const narrower = [{ ...rules.rollout[0], verbs: ['get'] }]

/** A life that a grant can have. */
export interface LifeKind {
  readonly name: string
  readonly spec: Readonly<Record<string, unknown>>
  /** Of its policy. Default: as the scene has it. */
  readonly policy?: Readonly<Record<string, unknown>>
  /** What people do meanwhile to the grant, which is named g. */
  readonly act?: (scene: Scene, admin: AdminApi) => Promise<unknown>
  /** Every write of the operator, in order. One that is new belongs in here, and gets a crash of its own by that. */
  readonly writes: readonly string[]
}

const status = 'replaceStatus nhigrants'
const withTwoBindings: LifeKind = {
  name: 'with two bindings',
  spec: { permissions: ['rollout', 'read-pods'], duration: '3s' },
  writes: [
    status,
    'create rolebindings',
    'create rolebindings',
    status,
    'delete rolebindings',
    'delete rolebindings',
    status,
  ],
}
export const withOwnRole: LifeKind = {
  name: 'with a Role of its own',
  spec: { rules: narrower, duration: '3s' },
  writes: [status, 'create roles', 'create rolebindings', status, 'delete rolebindings', 'delete roles', status],
}
const withWaiver: LifeKind = {
  name: 'with nothing but a waiver',
  spec: { permissions: undefined, waive: ['host-path'], duration: '2s' },
  policy: {
    grants: { maxDuration: '1h', requesters: [{ kind: 'Self' }], waivable: ['host-path'] },
    workloads: { podSecurity: { level: 'baseline' } },
  },
  writes: [status, status, status],
}
const approved: LifeKind = {
  name: 'that is approved',
  spec: { duration: '3s' },
  policy: {
    grants: {
      maxDuration: '1h',
      requesters: [{ kind: 'Self' }],
      approval: { required: 1, by: [{ kind: 'User', name: 'ana' }] },
    },
  },
  act: approve,
  writes: [status, status, 'create rolebindings', status, 'delete rolebindings', status],
}
const shortened: LifeKind = {
  name: 'that is shortened',
  spec: { duration: '1h' },
  policy: underCalm({ otherwise: 'Constrain', constrain: { maxDuration: '4s' } }),
  act: sayIncident,
  // the end that is written on a binding is brought forward by another binding
  writes: [
    status,
    'create rolebindings',
    status,
    status,
    'delete rolebindings',
    'create rolebindings',
    status,
    'delete rolebindings',
    status,
  ],
}
const revoked: LifeKind = {
  name: 'that is revoked',
  spec: { duration: '1h' },
  act: async (scene) => {
    await scene.reaches('g', 'Active', 30_000)
    await scene.revoke('g')
  },
  writes: [status, 'create rolebindings', status, 'delete rolebindings', status],
}
const ended: LifeKind = {
  name: 'that a condition ends',
  spec: { duration: '1h' },
  policy: underCalm({ otherwise: 'Deny' }),
  act: sayIncident,
  // what may pass is marked first, and told when it is proved
  writes: [status, 'create rolebindings', status, 'delete rolebindings', status, status],
}
export const withCredential: LifeKind = {
  name: 'with a credential',
  spec: asksForCredential,
  act: async (scene) => {
    await scene.whenGrant(
      'g',
      'is issued, or denied',
      ({ status: { state } = {} }) => state === 'Active' || state === 'Denied',
      30_000,
    )
    await scene.revoke('g')
  },
  writes: [
    status,
    'create serviceaccounts',
    'create rolebindings',
    'create secrets',
    status,
    'create serviceaccounts/token',
    'replace secrets',
    status,
    'delete rolebindings',
    'delete secrets',
    'delete serviceaccounts',
    status,
  ],
}
export const lifeKinds: readonly LifeKind[] = [
  withTwoBindings,
  withOwnRole,
  withWaiver,
  approved,
  shortened,
  revoked,
  ended,
  withCredential,
]

/** A policy with a condition that holds until there is an incident. */
function underCalm(otherwise: object): NonNullable<LifeKind['policy']> {
  const calm = {
    name: 'calm',
    expression: "!('incident' in namespaceObject.metadata.labels)",
    message: 'there is an incident',
    ...otherwise,
  }
  return { grants: { maxDuration: '1h', requesters: [{ kind: 'Self' }], conditions: [calm] } }
}

async function sayIncident(scene: Scene, admin: AdminApi): Promise<void> {
  await scene.reaches('g', 'Active', 30_000)
  await admin.patch(`/api/v1/namespaces/${scene.namespace}`, { metadata: { labels: { incident: 'yes' } } })
}

async function approve(scene: Scene, admin: AdminApi): Promise<void> {
  const { metadata, status: waiting } = await scene.reaches('g', 'AwaitingApproval', 30_000)
  await admin.create(paths.approvals(scene.namespace), {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrantApproval',
    metadata: { name: 'yes' },
    spec: {
      grant: { name: 'g', uid: metadata!.uid },
      grantDigest: waiting.approvals.digest as string,
      decision: 'Approve',
      reason: 'a test',
      approver: 'ana',
    },
  })
}
