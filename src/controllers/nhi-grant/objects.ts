import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { Conflict } from '../../cluster/errors.ts'
import type { ClusterClient, KubeObject, ObjectKey } from '../../cluster/ports.ts'
import { resources, type ResourceType } from '../../cluster/resources.ts'
import type { Identity } from '../../core/identity.ts'
import type { GrantRecord, ManagedObject } from '../../core/grant/record.ts'
import { allEnded } from '../all-ended.ts'
import { isOwnedBy } from '../marks.ts'
import { isSameContent } from '../same-content.ts'
import type { ObjectCalls } from './calls-until.ts'
import { manifestOf } from './manifests.ts'

/** Why a grant cannot be carried out, for good. */
export interface Obstacle {
  readonly reason: 'ObjectNotOurs' | 'NotHeldByOperator'
  readonly message: string
}

export function isObstacle(result: object): result is Obstacle {
  return 'reason' in result && 'message' in result
}

/** UIDs of what carries the grant, by `Kind/name`. */
export type CreatedUids = ReadonlyMap<string, string>

/**
 * Creates what carries a grant: its Role first, then the bindings side by side. An object that is already there is taken
 * for ours only if its owner is this very grant and it says exactly what we would have written.
 */
export async function createObjects(
  client: ObjectCalls,
  grant: NHIGrant,
  record: GrantRecord,
  subject: Identity,
): Promise<CreatedUids | Obstacle> {
  const uids = new Map<string, string>()
  for (const kind of ['Role', 'RoleBinding'] as const) {
    const wanted = record.objects.filter((object) => object.kind === kind)
    const results = await allEnded(wanted.map((object) => createOne(client, grant, record, subject, object)))
    for (const [index, result] of results.entries()) {
      if (isObstacle(result)) return result
      uids.set(`${kind}/${wanted[index]?.name ?? ''}`, result.metadata.uid)
    }
  }
  return uids
}

async function createOne(
  client: ObjectCalls,
  grant: NHIGrant,
  record: GrantRecord,
  subject: Identity,
  object: ManagedObject,
): Promise<KubeObject | Obstacle> {
  const type = typeOf(object.kind)
  const manifest = manifestOf(grant, record, subject, object)
  try {
    return await client.create(type, manifest)
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
  }
  const found = await client.get(type, { namespace: grant.metadata.namespace ?? '', name: object.name })
  if (found === null) throw new Error('an object that existed a moment ago is gone')
  if (isOwnedBy(found, grant.metadata.uid) && saysTheSame(found, manifest)) return found
  return { reason: 'ObjectNotOurs', message: `${object.kind} ${object.name} exists already and is not this grant's` }
}

function saysTheSame(found: KubeObject, manifest: object): boolean {
  const wanted = manifest as Readonly<Record<string, unknown>>
  return ['rules', 'roleRef', 'subjects'].every((field) => isSameContent(found[field], wanted[field]))
}

/**
 * Deletes what the status lists: bindings first and side by side, for they are the access. Resolves once the API server
 * has acknowledged the last of them. What carries one of the names but is not this grant's is left alone and returned.
 */
export async function deleteObjects(client: ObjectCalls, grant: NHIGrant): Promise<readonly string[]> {
  const objects = grant.status?.objects ?? []
  const foreign: string[] = []
  for (const kind of ['RoleBinding', 'Role'] as const) {
    const doomed = objects.filter((object) => object.kind === kind)
    const left = await allEnded(doomed.map((object) => deleteOne(client, grant, object)))
    foreign.push(...left.filter((name) => name !== null))
  }
  return foreign
}

async function deleteOne(
  client: ObjectCalls,
  grant: NHIGrant,
  object: { readonly kind: 'Role' | 'RoleBinding'; readonly name: string; readonly uid?: string },
): Promise<string | null> {
  const type = typeOf(object.kind)
  const key = { namespace: grant.metadata.namespace ?? '', name: object.name }
  if (object.uid !== undefined && (await isDeleted(client, type, key, object.uid))) return null
  // Its UID was never recorded, for a crash came in between; or the object is not the one that was recorded.
  const found = await client.get(type, key)
  if (found === null) return null
  if (!isOwnedBy(found, grant.metadata.uid)) return `${object.kind} ${key.namespace}/${key.name}`
  await client.delete(type, key, { uid: found.metadata.uid })
  return null
}

/** False: the API server did not delete it, because that UID is not what has the name. */
async function isDeleted(client: ObjectCalls, type: ResourceType, key: ObjectKey, uid: string): Promise<boolean> {
  try {
    await client.delete(type, key, { uid })
    return true
  } catch (error) {
    if (error instanceof Conflict) return false
    throw error
  }
}

/**
 * The grant's own bindings that are there still after their deletion, each with what holds it. RBAC honours a binding that is
 * being deleted. Read from the API server and not from a cache.
 */
export async function findHeldBindings(client: ClusterClient, grant: NHIGrant): Promise<readonly string[]> {
  const bindings = (grant.status?.objects ?? []).filter(({ kind }) => kind === 'RoleBinding')
  const held = await Promise.all(bindings.map((binding) => describeHeld(client, grant, binding)))
  return held.filter((description) => description !== null).sort()
}

/** null: it is gone, or what has its name is somebody else's. */
async function describeHeld(
  client: ClusterClient,
  grant: NHIGrant,
  { name, uid }: { readonly name: string; readonly uid?: string },
): Promise<string | null> {
  const namespace = grant.metadata.namespace ?? ''
  const found = await client.get(resources.roleBindings, { namespace, name })
  if (found === null || (found.metadata.uid !== uid && !isOwnedBy(found, grant.metadata.uid))) return null
  const [first = 'no finalizer', ...others] = finalizersOf(found)
  return `RoleBinding ${namespace}/${name} (${others.length === 0 ? first : `${first} and ${others.length} more`})`
}

export function finalizersOf({ metadata }: KubeObject): readonly string[] {
  return (metadata as { readonly finalizers?: readonly string[] }).finalizers ?? []
}

function typeOf(kind: ManagedObject['kind']): ResourceType {
  return kind === 'Role' ? resources.roles : resources.roleBindings
}
