import type { KubeObject } from './admin-api.ts'
import { at, objectOf, type Json } from './json-paths.ts'

/** A review as the API server sends it, and what must hold of it however it is spoilt. */
export interface FuzzSeed {
  readonly path: string
  readonly review: KubeObject
  /**
   * Whether a review like this one, read here without any of Lapse's code, must not be allowed: what it is refused for is
   * still there, and so is all that makes it a matter of Lapse's.
   */
  readonly mustRefuse: (review: Json) => boolean
}

/** What the reviews are about; all of it exists. */
export interface FuzzScene {
  readonly namespace: string
  /** Governed by the policy, at Pod Security level baseline. */
  readonly account: string
  readonly policy: string
  readonly operatorUser: string
}

const badVolumes = [{ name: 'node', hostPath: { path: '/etc', type: 'Directory' } }]
const container = {
  name: 'app',
  image: 'registry.example/app:1',
  ports: [{ containerPort: 8080, protocol: 'TCP' }],
  env: [{ name: 'A', value: 'b' }],
  resources: { limits: { cpu: '1', memory: '64Mi' } },
  securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
  livenessProbe: { httpGet: { path: '/', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
}

function podSpec({ account }: FuzzScene, fields: object = {}): object {
  return {
    serviceAccountName: account,
    serviceAccount: account,
    restartPolicy: 'Always',
    securityContext: {},
    containers: [container],
    initContainers: [{ ...container, name: 'init' }],
    volumes: badVolumes,
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    ...fields,
  }
}

const privileged = { containers: [{ ...container, securityContext: { privileged: true } }], volumes: [] }
const harmless = { volumes: [{ name: 'tmp', emptyDir: {} }] }

function templateOf(spec: object): object {
  return { metadata: { labels: { app: 'x' }, annotations: { 'example.com/a': 'b' } }, spec }
}

interface ReviewParts {
  readonly operation?: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly oldObject?: KubeObject
  readonly subResource?: string
  readonly user?: string
}

function reviewOf(
  scene: FuzzScene,
  apiVersion: string,
  kind: string,
  body: object,
  parts: ReviewParts = {},
): KubeObject {
  const [version = '', group = ''] = apiVersion.split('/').toReversed()
  const isClustered = /^(Cluster|AccessPolicy|Namespace$|CustomResource)/.test(kind)
  const namespace = isClustered ? undefined : scene.namespace
  const managedFields = [
    { manager: 'kubectl', operation: 'Update', apiVersion, fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } },
  ]
  const metadata = { name: 'fuzz', namespace, uid: 'u-1', creationTimestamp: '2026-01-01T00:00:00Z', managedFields }
  const { metadata: own, ...rest } = body as { readonly metadata?: object }
  const object = { apiVersion, kind, metadata: { ...metadata, ...own }, ...rest }
  const resource = { group, version, resource: `${kind.toLowerCase()}s` }
  const { operation = 'CREATE', oldObject, subResource, user = 'mallory@example.com' } = parts
  const old = oldObject && { ...oldObject, apiVersion, kind, metadata: { ...metadata, ...oldObject.metadata } }
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: 'b1b1c0de-5d5e-4a0c-9d3a-0d3f5e8c2041',
      kind: { group, version, kind },
      resource,
      requestKind: { group, version, kind },
      requestResource: resource,
      subResource,
      name: 'fuzz',
      namespace,
      operation,
      userInfo: { username: user, uid: 'u-2', groups: ['system:authenticated'], extra: { 'a/b': ['c'] } },
      object: operation === 'DELETE' ? null : object,
      oldObject: operation === 'DELETE' ? object : (old ?? null),
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl' },
    },
  }
}

const owners: readonly (readonly [apiVersion: string, kind: string])[] = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'ReplicaSet'],
  ['batch/v1', 'Job'],
  ['v1', 'ReplicationController'],
]

function workloadSeeds(scene: FuzzScene): readonly FuzzSeed[] {
  const seed = (review: KubeObject): FuzzSeed => ({
    path: '/v1/admit/workloads',
    review,
    mustRefuse: (spoilt) => asksTooMuch(spoilt, scene),
  })
  const bad = podSpec(scene)
  const cronJob = { schedule: '* * * * *', jobTemplate: { metadata: {}, spec: { template: templateOf(bad) } } }
  const good = { metadata: {}, spec: podSpec(scene, harmless) }
  return [
    seed(reviewOf(scene, 'v1', 'Pod', { spec: bad })),
    seed(reviewOf(scene, 'v1', 'Pod', { spec: podSpec(scene, privileged) })),
    seed(reviewOf(scene, 'v1', 'Pod', good)),
    seed(reviewOf(scene, 'v1', 'Pod', { spec: bad }, { operation: 'UPDATE', oldObject: good })),
    seed(reviewOf(scene, 'v1', 'Pod', { spec: bad }, { operation: 'DELETE' })),
    ...owners.map(([apiVersion, kind]) =>
      seed(reviewOf(scene, apiVersion, kind, { spec: { replicas: 1, template: templateOf(bad) } })),
    ),
    seed(reviewOf(scene, 'batch/v1', 'CronJob', { spec: cronJob })),
    seed(reviewOf(scene, 'v1', 'PodTemplate', { template: templateOf(bad) })),
  ]
}

/** Whether an object is written that asks for a host path or a privileged container in the governed account's name. */
function asksTooMuch(review: Json, { namespace, account }: FuzzScene): boolean {
  const request = at(review, 'request')
  const operation = at(request, 'operation')
  if ((operation !== 'CREATE' && operation !== 'UPDATE') || at(request, 'namespace') !== namespace) return false
  const spec = podSpecOf(at(request, 'object'))
  const runsAs = at(spec, 'serviceAccountName') || at(spec, 'serviceAccount')
  return runsAs === account && isBad(spec) && !isBad(podSpecOf(at(request, 'oldObject')))
}

function podSpecOf(object: Json): Json {
  const kind = at(object, 'kind')
  if (kind === 'Pod') return at(object, 'spec')
  if (kind === 'PodTemplate') return at(object, 'template', 'spec')
  if (kind === 'CronJob') return at(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec')
  return at(object, 'spec', 'template', 'spec')
}

function isBad(spec: Json): boolean {
  const list = (field: string): readonly Json[] => {
    const value = at(spec, field)
    return Array.isArray(value) ? value : []
  }
  return (
    list('volumes').some((volume) => objectOf(at(volume, 'hostPath')) !== null) ||
    list('containers').some((each) => at(each, 'securityContext', 'privileged') === true)
  )
}

const grantLabel = 'lapse.dev/grant-uid'
const rbac = 'rbac.authorization.k8s.io'

function accessSeeds(scene: FuzzScene): readonly FuzzSeed[] {
  const isForged = (review: Json): boolean => {
    const request = at(review, 'request')
    const labels = objectOf(at(request, 'object', 'metadata', 'labels'))
    if (at(request, 'operation') !== 'CREATE' || labels === null) return false
    return at(request, 'userInfo', 'username') !== scene.operatorUser && Object.hasOwn(labels, grantLabel)
  }
  const metadata = { labels: { [grantLabel]: 'u-1' } }
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: 'view' }
  const subjects = [{ kind: 'ServiceAccount', name: scene.account, namespace: scene.namespace }]
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'], resourceNames: ['a'] }]
  const seed = (kind: string, body: object, mustRefuse: FuzzSeed['mustRefuse'] = isForged): FuzzSeed => ({
    path: '/v1/admit/access',
    review: reviewOf(scene, `${rbac}/v1`, kind, body),
    mustRefuse,
  })
  return [
    seed('RoleBinding', { metadata, roleRef, subjects }),
    seed('ClusterRoleBinding', { metadata, roleRef, subjects }),
    seed('Role', { metadata, rules }),
    seed('ClusterRole', { rules, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } }, never),
    seed('RoleBinding', { roleRef, subjects }, never),
  ]
}

function ownSeeds(scene: FuzzScene): readonly FuzzSeed[] {
  const seed = (kind: string, body: object, mustRefuse: FuzzSeed['mustRefuse'], parts: ReviewParts = {}): FuzzSeed => ({
    path: '/v1/admit/lapse',
    review: reviewOf(scene, 'lapse.dev/v1alpha1', kind, body, parts),
    mustRefuse,
  })
  const spec = {
    policy: { name: 'no-such-policy' },
    subject: { kind: 'ServiceAccount', namespace: scene.namespace, name: scene.account },
    permissions: ['rollout'],
    duration: '30m',
    reason: 'Roll out',
    requestedBy: 'mallory@example.com',
  }
  const policySpec = {
    version: '1.0.0',
    owner: { name: 'platform' },
    change: { request: 'C-1', reason: 'x', approvedBy: ['ana'], expiresAt: '2030-01-01T00:00:00Z' },
    subjects: [{ kind: 'ServiceAccount', namespaceSelector: { matchLabels: { a: 'b' } }, names: ['x'] }],
    workloads: { podSecurity: { level: 'baseline' }, forbid: ['secrets-read'] },
  }
  const mutation = reviewOf(scene, 'lapse.dev/v1alpha1', 'NHIGrant', { spec })
  return [
    seed('NHIGrant', { spec }, (review) => asksUnderNoPolicy(review, scene)),
    seed('AccessPolicyRevision', { spec: { policy: policySpec } }, (review) => rewritesHistory(review, scene)),
    seed('AccessPolicyRevision', {}, (review) => rewritesHistory(review, scene), { operation: 'DELETE' }),
    seed('AccessPolicy', { spec: policySpec }, never),
    seed('AccessPolicy', { spec: policySpec }, never, { operation: 'UPDATE', oldObject: { spec: policySpec } }),
    { path: '/v1/mutate', review: mutation, mustRefuse: never },
  ]
}

function asksUnderNoPolicy(review: Json, { policy }: FuzzScene): boolean {
  const request = at(review, 'request')
  const isNew = at(request, 'operation') === 'CREATE' && at(request, 'object', 'kind') === 'NHIGrant'
  return isNew && at(request, 'object', 'spec', 'policy', 'name') !== policy
}

function rewritesHistory(review: Json, { operatorUser }: FuzzScene): boolean {
  const request = at(review, 'request')
  if (at(request, 'userInfo', 'username') === operatorUser) return false
  return at(request, 'kind', 'kind') === 'AccessPolicyRevision'
}

function never(): boolean {
  return false
}

/** What stands around the workloads, of which nothing is claimed. */
function otherSeeds(scene: FuzzScene): readonly FuzzSeed[] {
  const seed = (path: string, apiVersion: string, kind: string, body: object, parts: ReviewParts = {}): FuzzSeed => ({
    path,
    review: reviewOf(scene, apiVersion, kind, body, parts),
    mustRefuse: never,
  })
  const token = { type: 'kubernetes.io/service-account-token', data: { token: 'eA==' } }
  const forAccount = { annotations: { 'kubernetes.io/service-account.name': scene.account } }
  const labels = { metadata: { name: scene.namespace, labels: { team: 'fuzz' } } }
  const definition = { spec: { group: 'lapse.dev', names: { kind: 'NHIGrant', plural: 'nhigrants' }, versions: [] } }
  return [
    seed('/v1/admit/access', 'v1', 'ServiceAccount', { automountServiceAccountToken: true, secrets: [{ name: 'a' }] }),
    seed('/v1/admit/access', 'v1', 'Secret', { metadata: forAccount, ...token }),
    seed('/v1/admit/cluster', 'v1', 'Namespace', labels, { operation: 'UPDATE', oldObject: labels }),
    seed('/v1/admit/cluster', 'apiextensions.k8s.io/v1', 'CustomResourceDefinition', definition, {
      operation: 'UPDATE',
      oldObject: definition,
    }),
  ]
}

/** Reviews of every webhook, most of which are refused, and why each must be. */
export function fuzzSeeds(scene: FuzzScene): readonly FuzzSeed[] {
  return [...workloadSeeds(scene), ...accessSeeds(scene), ...ownSeeds(scene), ...otherSeeds(scene)]
}
