import { isDeepStrictEqual } from 'node:util'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { Conflict } from '../../cluster/errors.ts'
import type { ClusterClient, KubeObject } from '../../cluster/ports.ts'
import { resources, type ResourceType } from '../../cluster/resources.ts'
import type { Identity } from '../../core/identity.ts'
import type { GrantRecord, ManagedObject } from '../../core/grant/record.ts'
import { isOwnedBy } from '../marks.ts'
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
  client: ClusterClient,
  grant: NHIGrant,
  record: GrantRecord,
  subject: Identity,
): Promise<CreatedUids | Obstacle> {
  const uids = new Map<string, string>()
  for (const kind of ['Role', 'RoleBinding'] as const) {
    const wanted = record.objects.filter((object) => object.kind === kind)
    const results = await Promise.all(wanted.map((object) => createOne(client, grant, record, subject, object)))
    for (const [index, result] of results.entries()) {
      if (isObstacle(result)) return result
      uids.set(`${kind}/${wanted[index]?.name ?? ''}`, result.metadata.uid)
    }
  }
  return uids
}

async function createOne(
  client: ClusterClient,
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
  return ['rules', 'roleRef', 'subjects'].every((field) => isDeepStrictEqual(plain(found[field]), plain(wanted[field])))
}

/** As it would be sent: without fields that are undefined, and without the API group that the server fills in. */
function plain(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown)
}

/**
 * Deletes what the status lists: bindings first and side by side, for they are the access. Resolves once the API server
 * has acknowledged the last binding. What carries one of the names but is not this grant's is left alone and returned.
 */
export async function deleteObjects(client: ClusterClient, grant: NHIGrant): Promise<readonly string[]> {
  const objects = grant.status?.objects ?? []
  const foreign: string[] = []
  for (const kind of ['RoleBinding', 'Role'] as const) {
    const doomed = objects.filter((object) => object.kind === kind)
    const left = await Promise.all(doomed.map((object) => deleteOne(client, grant, object)))
    foreign.push(...left.filter((name) => name !== null))
  }
  return foreign
}

async function deleteOne(
  client: ClusterClient,
  grant: NHIGrant,
  object: { readonly kind: 'Role' | 'RoleBinding'; readonly name: string; readonly uid?: string },
): Promise<string | null> {
  const type = typeOf(object.kind)
  const key = { namespace: grant.metadata.namespace ?? '', name: object.name }
  const uid = object.uid ?? (await ownUid(client, type, key, grant.metadata.uid))
  if (uid === 'absent') return null
  if (uid === 'foreign') return `${object.kind} ${key.namespace}/${key.name}`
  try {
    await client.delete(type, key, { uid })
    return null
  } catch (error) {
    if (error instanceof Conflict) return `${object.kind} ${key.namespace}/${key.name}`
    throw error
  }
}

/** The UID of an object that was created without its UID having been recorded: a crash came in between. */
async function ownUid(
  client: ClusterClient,
  type: ResourceType,
  key: { readonly namespace: string; readonly name: string },
  owner: string,
): Promise<string> {
  const found = await client.get(type, key)
  if (found === null) return 'absent'
  return isOwnedBy(found, owner) ? found.metadata.uid : 'foreign'
}

function typeOf(kind: ManagedObject['kind']): ResourceType {
  return kind === 'Role' ? resources.roles : resources.roleBindings
}
