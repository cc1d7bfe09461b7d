import { ApiError, type AdminApi, type KubeObject } from '../../test/support/admin-api.ts'
import { deployment } from './deployments.ts'
import { createSubjects, type LapseCluster } from './lapse-cluster.ts'
import { sideBySide } from './side-by-side.ts'

/** How much of RBAC there is beside what is judged. */
export const rbac = { namespaces: 10, roles: 10, bindings: 20 } as const

export type Kind = 'passing' | 'failing'
/** AdmissionReviews as the API server sends them, as text. */
export type Bodies = Readonly<Record<Kind, string>>

/** Both identities hold access; only that of the failing Deployment is forbidden. The reviews are asked for real once. */
export async function prepareBodies(cluster: LapseCluster): Promise<Bodies> {
  const { api, namespace } = cluster
  await createSubjects(cluster, ['app', 'legacy'])
  await createRbac(cluster)
  const passing = deployment(namespace, 'app', 'passing')
  const failing = deployment(namespace, 'legacy', 'failing')
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`
  await api.create(path, passing)
  const refusal = await api.create(path, failing).then(
    () => 'it was allowed',
    (error: unknown) => (error instanceof ApiError ? error.message : Promise.reject(error as Error)),
  )
  for (const check of ['[privileged]', '[host-path]', '[secrets-read]']) {
    if (!refusal.includes(check)) throw new Error(`the failing Deployment is not refused by ${check}: ${refusal}`)
  }
  return { passing: await reviewOf(cluster, passing), failing: await reviewOf(cluster, failing) }
}

/** The AdmissionReview that the API server sends; the object is as it looks there, all defaults and managed fields set. */
async function reviewOf({ api, controlPlane }: LapseCluster, object: KubeObject): Promise<string> {
  const elsewhere = await ungovernedNamespace(controlPlane.namespace.bind(controlPlane))
  const { name, namespace } = object.metadata ?? {}
  const seen = await api.create(`/apis/apps/v1/namespaces/${elsewhere}/deployments?dryRun=All`, {
    ...object,
    metadata: { ...object.metadata, namespace: elsewhere },
  })
  const kind = { group: 'apps', version: 'v1', kind: 'Deployment' }
  const resource = { group: 'apps', version: 'v1', resource: 'deployments' }
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: 'b1b1c0de-5d5e-4a0c-9d3a-0d3f5e8c2041',
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name,
      namespace,
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:ci:deployer',
        uid: '7a0e1d1c-93b1-4a57-8f46-2f6a2b0c1f11',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:ci', 'system:authenticated'],
      },
      object: { apiVersion: 'apps/v1', kind: 'Deployment', ...seen, metadata: { ...seen.metadata, namespace } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-client-side-apply' },
    },
  })
}

function ungovernedNamespace(create: LapseCluster['controlPlane']['namespace']): Promise<string> {
  return create({ team: 'nobody' })
}

/** Roles and bindings as a cluster has them; some of them are of the identities that are judged. */
async function createRbac({ api, controlPlane, namespace }: LapseCluster): Promise<void> {
  const others = await sideBySide(Array.from({ length: rbac.namespaces }), 5, () => controlPlane.namespace())
  await sideBySide(others, 4, async (other) => {
    for (let index = 0; index < rbac.roles; index++) await createRole(api, other, `role-${index}`, 'configmaps')
    for (let index = 0; index < rbac.bindings; index++) {
      await createBinding(api, other, `role-${index % rbac.roles}`, { namespace: other, name: `account-${index}` })
    }
  })
  await createRole(api, namespace, 'settings', 'configmaps')
  await createRole(api, namespace, 'reader', 'secrets')
  await createBinding(api, namespace, 'settings', { namespace, name: 'app' })
  await createBinding(api, namespace, 'reader', { namespace, name: 'legacy' })
}

const rbacPath = '/apis/rbac.authorization.k8s.io/v1/namespaces'

async function createRole(api: AdminApi, namespace: string, name: string, resource: string): Promise<void> {
  const rules = [{ apiGroups: [''], resources: [resource], verbs: ['get', 'list', 'watch'] }]
  await api.create(`${rbacPath}/${namespace}/roles`, { metadata: { name }, rules })
}

async function createBinding(
  api: AdminApi,
  namespace: string,
  role: string,
  account: { readonly namespace: string; readonly name: string },
): Promise<void> {
  await api.create(`${rbacPath}/${namespace}/rolebindings`, {
    metadata: { name: `${role}-${account.name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  })
}
