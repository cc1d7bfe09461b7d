import { marks, type NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { KubeObject } from '../../cluster/ports.ts'
import { resources, type ResourceType } from '../../cluster/resources.ts'
import { anotherEnd, differences } from '../../core/grant/drift.ts'
import { isOwnedBy } from '../marks.ts'
import type { ObjectCalls } from './calls-until.ts'
import { factsOf, type GrantCarrier } from './carrier.ts'
import { recordedIn, type CarrierName } from './carriers.ts'
import { lastWriterOf } from './last-writer.ts'
import { describeObject, finalizersOf } from './objects.ts'
import type { WantedObject } from './wanted.ts'

/**
 * Deleted: it is not there. Changed: it says something else. Taken: somebody else's object has its name. Unrecorded: it says
 * that it carries the grant, which knows nothing of it. Shortened: the end of the grant was brought forward since, which is
 * no drift.
 */
export type DriftKind = 'Deleted' | 'Changed' | 'Taken' | 'Unrecorded' | 'Shortened'

/** In what the API server has another object than was issued. */
export interface Deviation {
  readonly kind: DriftKind
  readonly object: CarrierName
  /** For people. */
  readonly message: string
  /** What must go; null: nothing, or nothing that is ours to delete. */
  readonly doomed: string | null
  /** A deletion does not remove it: RBAC honours it until its finalizers are gone. */
  readonly isHeld: boolean
  /** What must be there in its place; null: nothing. */
  readonly manifest: GrantCarrier | null
}

export function typeOfCarrier({ kind }: CarrierName): ResourceType {
  switch (kind) {
    case 'Role':
      return resources.roles
    case 'RoleBinding':
      return resources.roleBindings
    case 'ClusterRoleBinding':
      return resources.clusterRoleBindings
  }
}

/** Whether an object that must be there is, asked of the API server; null: it is. */
export async function examine(calls: ObjectCalls, grant: NHIGrant, wanted: WantedObject): Promise<Deviation | null> {
  const { uid, manifest, ...object } = wanted
  const found = await calls.get(typeOfCarrier(object), object)
  const what = describeObject(object.kind, object)
  const deviation = { object, doomed: null, isHeld: false, manifest }
  if (found === null) return { ...deviation, kind: 'Deleted', message: `${what} was deleted` }
  if (found.metadata.uid !== uid && !isOwnedBy(found, grant.metadata.uid) && carriedGrant(found) !== grant.metadata.uid)
    return { ...deviation, kind: 'Taken', manifest: null, message: `${what} is somebody else's` }
  const differs = differences(factsOf(manifest), factsOf(found))
  const isGoing = found.metadata.deletionTimestamp !== undefined
  if (differs.length === 0 && !isGoing) return null
  const held = finalizersOf(found)
  const kind = differs.length === 0 ? 'Deleted' : wasShortened(grant, differs) ? 'Shortened' : 'Changed'
  const clauses = [...differs, ...writtenBy(found), ...(held.length > 0 ? [`held by ${held.join(', ')}`] : [])]
  return {
    ...deviation,
    kind,
    doomed: isGoing ? null : found.metadata.uid,
    isHeld: held.length > 0,
    message: `${what} ${differs.length === 0 ? 'is being deleted' : 'was changed'}: ${clauses.join(', ')}`,
  }
}

/** The same of an object that only says that it carries the grant; null: it does, or it is gone. */
export async function examineOther(
  calls: ObjectCalls,
  grant: NHIGrant,
  object: CarrierName,
): Promise<Deviation | null> {
  if (recordedIn(grant, object) !== undefined) return null
  const found = await calls.get(typeOfCarrier(object), object)
  if (found === null || carriedGrant(found) !== grant.metadata.uid) return null
  const held = finalizersOf(found)
  return {
    kind: 'Unrecorded',
    object,
    message: [
      `${describeObject(object.kind, object)} says that it carries the grant, and does not`,
      ...writtenBy(found),
    ].join(', '),
    doomed: found.metadata.deletionTimestamp === undefined ? found.metadata.uid : null,
    isHeld: held.length > 0,
    manifest: null,
  }
}

/** Whether nothing differs but the end, and that was brought forward. */
function wasShortened({ status }: NHIGrant, differs: readonly string[]): boolean {
  const isShorter = status?.conditions?.some(({ reason }) => reason === 'Shortened') === true
  return isShorter && differs.length === 1 && differs[0] === anotherEnd
}

function writtenBy(found: KubeObject): readonly string[] {
  const writer = lastWriterOf(found)
  return writer === null ? [] : [`written last by ${writer}`]
}

function carriedGrant({ metadata }: KubeObject): string | null {
  return metadata.labels?.[marks.grantUid] ?? null
}
