import { marks } from '../../src/api/v1alpha1/objects.ts'
import type { AdminApi, KubeObject } from './admin-api.ts'
import { paths } from './scene.ts'

/** An object that carries a grant, or did, whatever somebody has changed of it. */
export interface Carrier {
  readonly path: string
  readonly object: KubeObject
}

/** Named after the UID of a grant: nothing of the chart is. */
const ofGrant = /^lapse-[0-9a-f]{8}-[0-9a-f]{4}-/

/** The bindings that carry grants for ServiceAccounts of a namespace, in it and for the whole cluster. */
export async function carryingBindings(admin: AdminApi, namespace: string): Promise<readonly Carrier[]> {
  const [own, wide] = await Promise.all([
    carriersAt(admin, paths.roleBindings(namespace)),
    carriersAt(admin, paths.clusterRoleBindings),
  ])
  return [...own, ...wide.filter(({ object }) => namesSomebodyOf(namespace, object))]
}

/** And their Roles and identities; not what somebody has made of it that says nowhere any more that it carries a grant. */
export async function allCarriers(admin: AdminApi, namespace: string): Promise<readonly Carrier[]> {
  const found = await Promise.all([
    carryingBindings(admin, namespace),
    carriersAt(admin, paths.roles(namespace)),
    carriersAt(admin, paths.serviceAccounts(namespace)),
  ])
  return found.flat().filter(({ object }) => isMarked(object))
}

/** Whether it has a label or an owner that says which grant it carries. */
export function isMarked({ metadata }: KubeObject): boolean {
  return metadata?.labels?.[marks.grantUid] !== undefined || metadata?.['ownerReferences'] !== undefined
}

/** Whether a binding gives something to a ServiceAccount of that namespace. */
export function namesSomebodyOf(namespace: string, binding: object): boolean {
  const { subjects = [] } = binding as { readonly subjects?: readonly { readonly namespace?: string }[] }
  return subjects.some((subject) => subject.namespace === namespace)
}

async function carriersAt(admin: AdminApi, collection: string): Promise<readonly Carrier[]> {
  const found = (await admin.list(collection)).filter(({ metadata }) => ofGrant.test(metadata?.name ?? ''))
  return found.map((object) => ({ path: `${collection}/${object.metadata!.name}`, object }))
}
