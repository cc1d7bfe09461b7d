import { loadAll } from 'js-yaml'
import { Agent } from 'undici'
import { AdminApi, type KubeObject } from './admin-api.ts'
import type { ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { chartPath } from './installation.ts'
import { paths, Scene } from './scene.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'

/** The chart's Role and RoleBinding for credentials in those namespaces. */
export async function allowCredentials(controlPlane: ControlPlane, namespaces: readonly string[]): Promise<void> {
  const args = ['template', 'lapse', chartPath, '--namespace', 'lapse-system', '--values', '-']
  const result = await controlPlane.helm([...args, '--show-only', 'templates/credentials.yaml'], {
    input: JSON.stringify({ credentials: { namespaces } }),
  })
  if (result.code !== 0) throw new Error(result.stderr)
  const objects = loadAll(result.stdout).filter((object) => object !== null) as readonly KubeObject[]
  const create = (object: KubeObject): Promise<KubeObject> => {
    const plural = object.kind === 'Role' ? 'roles' : 'rolebindings'
    return controlPlane.admin.create(`${rbac}/namespaces/${object.metadata!.namespace}/${plural}`, object)
  }
  await Promise.all(objects.map(create))
}

/** Scenes in whose namespaces grants may have credentials, as far as RBAC goes. */
export async function credentialScenes(controlPlane: ControlPlane, count: number): Promise<readonly Scene[]> {
  const scenes = await Promise.all(Array.from({ length: count }, () => Scene.set(controlPlane)))
  await allowCredentials(
    controlPlane,
    scenes.map(({ namespace }) => namespace),
  )
  return scenes
}

/** What a grant asks for that wants its token in Secret `token`, for little longer than the shortest that there is. */
export const asksForCredential = { duration: '11m', credential: { secretName: 'token' } } as const

export const secretPath = (scene: Scene, name = 'token'): string =>
  `/api/v1/namespaces/${scene.namespace}/secrets/${name}`

/** The token that the Secret holds; undefined: none yet. */
export function tokenIn(secret: KubeObject): string | undefined {
  const data = secret['data']?.token as string | undefined
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString()
}

/** The claims of a token. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Readonly<Record<string, unknown>>
}

/** What the API server answers to who lists Deployments with that token: 200, or the status of its refusal. */
export async function answerTo(controlPlane: ControlPlane, scene: Scene, token: string): Promise<number> {
  const ca = Buffer.from(controlPlane.caData, 'base64').toString()
  const api = new AdminApi(controlPlane.url, new Agent({ connect: { ca } }), [['Authorization', `Bearer ${token}`]])
  try {
    return await api.list(`/apis/apps/v1/namespaces/${scene.namespace}/deployments`).then(
      () => 200,
      (error: { readonly status?: number }) => error.status ?? 0,
    )
  } finally {
    await api.close()
  }
}

/** Resolves when that is the answer: the API server hears of bindings, Secrets and accounts after they were written. */
export function answersSoon(controlPlane: ControlPlane, scene: Scene, token: string, status: number): Promise<unknown> {
  return eventually(`a call with the token is answered with ${status}`, async () => {
    const answer = await answerTo(controlPlane, scene, token)
    if (answer !== status) throw new Error(`it is answered with ${answer}`)
    return answer
  })
}

/** What is left of a grant with a credential, as `Kind name`. */
export async function leftOf(admin: AdminApi, scene: Scene): Promise<readonly string[]> {
  const [bindings, secrets, accounts] = await Promise.all([
    scene.roleBindings(),
    admin.list(`/api/v1/namespaces/${scene.namespace}/secrets`),
    admin.list(paths.serviceAccounts(scene.namespace)),
  ])
  const objects = { RoleBinding: bindings, Secret: secrets, ServiceAccount: accounts }
  const all = Object.entries(objects).flatMap(([kind, each]) => each.map(({ metadata }) => `${kind} ${metadata!.name}`))
  return all.filter((name) => name !== 'RoleBinding lapse-credentials' && name !== 'ServiceAccount default')
}
