import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { Conflict, Forbidden } from '../../cluster/errors.ts'
import type { ClusterClient, KubeObject, ObjectKey } from '../../cluster/ports.ts'
import { resources, type ResourceType } from '../../cluster/resources.ts'
import type { Identity } from '../../core/identity.ts'
import type { GrantRecord, ManagedObject } from '../../core/grant/record.ts'
import type { Instant } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import { allEnded } from '../all-ended.ts'
import { deleteExactly } from '../delete-exactly.ts'
import { isOwnedBy } from '../marks.ts'
import { isSameContent } from '../same-content.ts'
import type { ObjectCalls } from './calls-until.ts'
import { manifestOf } from './manifests.ts'
import { bindingsToOwnRole } from './role-bindings.ts'

/** Why a grant cannot be carried out, for good. */
export interface Obstacle {
  readonly reason: 'ObjectNotOurs' | 'NotHeldByOperator' | 'CredentialTooShort'
  readonly message: string
}

export function isObstacle(result: object): result is Obstacle {
  return 'reason' in result && 'message' in result
}

const bindingKinds = ['RoleBinding', 'ClusterRoleBinding'] as const

/** How messages name an object: `RoleBinding payments/x`, `ClusterRoleBinding x`. */
export function describeObject(kind: string, { namespace, name }: ObjectKey): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
}

/** UIDs of what carries the grant, by `Kind/name`. */
export type CreatedUids = ReadonlyMap<string, string>

/**
 * Creates what carries a grant: its own identity and its Role first, then the bindings side by side; not its Secret. An object that is already there is taken
 * for ours only if its owner is this very grant and it says exactly what we would have written.
 */
export async function createObjects(
  client: ObjectCalls,
  grant: NHIGrant,
  record: GrantRecord,
  subject: Identity,
): Promise<CreatedUids | Obstacle> {
  const uids = new Map<string, string>()
  for (const kind of ['ServiceAccount', 'Role', ...bindingKinds] as const) {
    const wanted = record.objects.filter((object) => object.kind === kind)
    const before = kind === 'Role' && wanted.length > 0 ? await boundAlready(client, grant) : null
    if (before !== null) return before
    const results = await allEnded(wanted.map((object) => createOne(client, grant, record, subject, object)))
    const meanwhile = kind === 'Role' && wanted.length > 0 ? await boundAlready(client, grant) : null
    if (meanwhile !== null) return meanwhile
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

/**
 * A RoleBinding that waits for a Role of the grant's own would gain what that gives. It can be made while somebody has a Role of
 * the name that gives nothing, also between two looks, hence one before the Role is created and one after.
 */
async function boundAlready(client: ObjectCalls, grant: NHIGrant): Promise<Obstacle | null> {
  const [first] = await bindingsToOwnRole(client, grant)
  if (first === undefined) return null
  const message = `RoleBinding ${first.name} binds Role lapse-${grant.metadata.uid} already and is not this grant's`
  return { reason: 'ObjectNotOurs', message }
}

function saysTheSame(found: KubeObject, manifest: object): boolean {
  const wanted = manifest as Readonly<Record<string, unknown>>
  return ['rules', 'roleRef', 'subjects'].every((field) => isSameContent(found[field], wanted[field]))
}

/** What the API server has acknowledged to be gone. */
export interface Deletion {
  /** Objects with the names of the grant's own that were not its to remove. */
  readonly foreign: readonly string[]
  /** Whether finalizers keep a binding: RBAC honours it until they are gone. */
  readonly isHeld: boolean
  readonly bindingsRemovedAt: Instant
  /** null: the grant has no Secret, or the operator may not remove it. */
  readonly secretRemovedAt: Instant | null
  /** What of its credential the operator may not remove, any more. */
  readonly forbidden: readonly string[]
}

/**
 * Deletes what the status lists: bindings first and side by side, for they are the access; then the Secret, with which the
 * token dies, and the identity. What carries one of the names but is not this grant's is left alone.
 */
export async function deleteObjects(
  client: ObjectCalls,
  grant: NHIGrant,
  clock: Pick<Clock, 'now'>,
): Promise<Deletion> {
  const bindings = await allEnded(bindingKinds.map((kind) => deleteAll(client, grant, kind)))
  const bindingsRemovedAt = clock.now()
  const secrets = await deleteAll(client, grant, 'Secret')
  const hadSecret = (grant.status?.objects ?? []).some(({ kind, uid }) => kind === 'Secret' && uid !== undefined)
  const secretRemovedAt = hadSecret && secrets.forbidden.length === 0 ? clock.now() : null
  const accounts = await deleteAll(client, grant, 'ServiceAccount')
  const roles = await deleteAll(client, grant, 'Role')
  return {
    foreign: [...bindings.flatMap(({ foreign }) => foreign), ...roles.foreign],
    isHeld: bindings.some(({ isHeld }) => isHeld),
    bindingsRemovedAt,
    secretRemovedAt,
    forbidden: [...secrets.forbidden, ...accounts.forbidden],
  }
}

async function deleteAll(
  client: ObjectCalls,
  grant: NHIGrant,
  kind: ManagedObject['kind'],
): Promise<Pick<Deletion, 'foreign' | 'isHeld' | 'forbidden'>> {
  const doomed = (grant.status?.objects ?? []).filter((object) => object.kind === kind)
  const isAccess = kind === 'Role' || kind.endsWith('RoleBinding')
  const forbidden: string[] = []
  const left = await allEnded(
    doomed.map(async (object) => {
      try {
        return await deleteOne(client, grant, { ...object, kind })
      } catch (error) {
        // the rights over a namespace may have been taken from the operator: the end goes on without
        if (isAccess || !(error instanceof Forbidden)) throw error
        forbidden.push(`${kind} ${grant.metadata.namespace ?? ''}/${object.name}`)
        return 'gone'
      }
    }),
  )
  return {
    foreign: left.filter((each) => each !== 'gone' && each !== 'held'),
    isHeld: left.includes('held'),
    forbidden,
  }
}

/** `gone`, `held` by its finalizers, or in words whatever has its name without being the grant's own. */
async function deleteOne(
  client: ObjectCalls,
  grant: NHIGrant,
  object: { readonly kind: ManagedObject['kind']; readonly name: string; readonly uid?: string },
): Promise<string> {
  const type = typeOf(object.kind)
  const key = { namespace: grant.metadata.namespace ?? '', name: object.name }
  const known = object.uid === undefined ? 'another' : await deleteExactly(client, type, key, object.uid)
  if (known !== 'another') return known === 'held' ? 'held' : 'gone'
  // The operator may not read Secrets. One whose UID is not on record is empty, and goes with the grant.
  if (object.kind === 'Secret') return 'gone'
  // Its UID was never recorded, for a crash came in between; or the object is not the one that was recorded.
  const found = await client.get(type, key)
  if (found === null) return 'gone'
  if (!isOwnedBy(found, grant.metadata.uid)) return describeObject(object.kind, key)
  return (await client.delete(type, key, { uid: found.metadata.uid })) === 'held' ? 'held' : 'gone'
}

/**
 * The grant's own bindings that are there still after their deletion, each with what holds it. RBAC honours a binding that is
 * being deleted. Read from the API server and not from a cache.
 */
export async function findHeldBindings(client: ClusterClient, grant: NHIGrant): Promise<readonly string[]> {
  const bindings = (grant.status?.objects ?? []).filter(({ kind }) => kind.endsWith('RoleBinding'))
  const held = await Promise.all(bindings.map((binding) => describeHeld(client, grant, binding)))
  return held.filter((description) => description !== null).sort()
}

/** null: it is gone, or what has its name is somebody else's. */
async function describeHeld(
  client: ClusterClient,
  grant: NHIGrant,
  { kind, name, uid }: { readonly kind: string; readonly name: string; readonly uid?: string },
): Promise<string | null> {
  const key = { namespace: grant.metadata.namespace ?? '', name }
  const type = kind === 'ClusterRoleBinding' ? resources.clusterRoleBindings : resources.roleBindings
  const found = await client.get(type, key)
  if (found === null || (found.metadata.uid !== uid && !isOwnedBy(found, grant.metadata.uid))) return null
  const [first = 'no finalizer', ...others] = finalizersOf(found)
  return `${describeObject(kind, key)} (${others.length === 0 ? first : `${first} and ${others.length} more`})`
}

export function finalizersOf({ metadata }: KubeObject): readonly string[] {
  return (metadata as { readonly finalizers?: readonly string[] }).finalizers ?? []
}

function typeOf(kind: ManagedObject['kind']): ResourceType {
  switch (kind) {
    case 'Role':
      return resources.roles
    case 'RoleBinding':
      return resources.roleBindings
    case 'ClusterRoleBinding':
      return resources.clusterRoleBindings
    case 'ServiceAccount':
      return resources.serviceAccounts
    case 'Secret':
      return resources.secrets
  }
}
