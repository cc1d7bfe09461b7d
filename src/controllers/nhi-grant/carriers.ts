import { marks, type NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Cache, Change, ObjectKey } from '../../cluster/ports.ts'
import type { GrantCarrier } from './carrier.ts'
import { isUnderWay } from './under-way.ts'

export interface CarrierCaches {
  readonly grants: Cache<NHIGrant>
  readonly grantBindings: Cache<GrantCarrier>
  readonly grantRoles: Cache<GrantCarrier>
}

export type CarrierKind = 'Role' | 'RoleBinding' | 'ClusterRoleBinding'

/** An object by kind and name, in the namespace of the grant that it belongs to, or says it does. */
export interface CarrierName {
  readonly kind: CarrierKind
  /** Empty: it is a ClusterRoleBinding. */
  readonly namespace: string
  readonly name: string
}

/** What is there of the objects that carry grants, and which grants a change to one of them concerns. */
export class Carriers {
  readonly #caches: CarrierCaches
  /** Grants under way, by UID. */
  readonly #grants = new Map<string, ObjectKey>()
  /** By the grant's UID: objects of its own that were seen to go. */
  readonly #gone = new Map<string, Set<string>>()
  /** By the grant's UID: objects that say they carry it and that were not on its record when they came. */
  readonly #others = new Map<string, Map<string, CarrierName>>()

  constructor(caches: CarrierCaches) {
    this.#caches = caches
  }

  get({ kind, namespace, name }: CarrierName): GrantCarrier | null {
    const cache = kind === 'Role' ? this.#caches.grantRoles : this.#caches.grantBindings
    return cache.get({ namespace, name })
  }

  /** Whether it was there and is not any more. False says little: the watch may be behind. */
  isGone(grantUid: string, { kind, name }: CarrierName): boolean {
    return this.#gone.get(grantUid)?.has(`${kind}/${name}`) === true
  }

  /** What says that it carries the grant and may not be on its record. */
  othersOf(grantUid: string): readonly CarrierName[] {
    return [...(this.#others.get(grantUid)?.values() ?? [])]
  }

  /** The API server was asked, and has none of these that says it carries the grant without being on its record. */
  examined(grantUid: string, others: readonly CarrierName[]): void {
    this.#gone.delete(grantUid)
    for (const other of others) this.#others.get(grantUid)?.delete(idOf(other))
  }

  /** Begins to look. `touched` is called with the key of an Active grant whose objects may not be as it was issued. */
  follow(touched: (key: ObjectKey) => void): void {
    const { grants, grantBindings, grantRoles } = this.#caches
    grants.subscribe((change) => this.#takeGrant(change))
    grantBindings.subscribe((change) => this.#take(bindingKind(change.key), change, touched))
    grantRoles.subscribe((change) => this.#take('Role', change, touched))
  }

  #takeGrant({ key, before, after }: Change<NHIGrant>): void {
    if (after !== null && isUnderWay(after)) {
      this.#grants.set(after.metadata.uid, key)
      return
    }
    const uid = (after ?? before)?.metadata.uid ?? ''
    this.#grants.delete(uid)
    this.#gone.delete(uid)
    this.#others.delete(uid)
  }

  #take(kind: CarrierKind, { key, before, after }: Change<GrantCarrier>, touched: (key: ObjectKey) => void): void {
    const carrier = { kind, ...key }
    const [was, is] = [grantUidOf(before), grantUidOf(after)]
    if (was !== null && was !== is) this.#left(was, carrier, touched)
    if (is !== null) this.#came(is, carrier, before !== null, after?.metadata.uid ?? '', touched)
  }

  #left(uid: string, carrier: CarrierName, touched: (key: ObjectKey) => void): void {
    const wasOther = this.#others.get(uid)?.delete(idOf(carrier)) === true
    const grant = this.#grantOf(uid)
    if (grant === null) return
    const isRecorded = recordedIn(grant, carrier) !== undefined
    if (isRecorded) this.#gone.set(uid, (this.#gone.get(uid) ?? new Set()).add(`${carrier.kind}/${carrier.name}`))
    if ((isRecorded || wasOther) && grant.status?.state === 'Active') touched(keyOf(grant))
  }

  /** What is created as it is on record concerns nobody: its grant is looked at anyway when it becomes Active. */
  #came(uid: string, carrier: CarrierName, isKnown: boolean, ownUid: string, touched: (key: ObjectKey) => void): void {
    this.#gone.get(uid)?.delete(`${carrier.kind}/${carrier.name}`)
    const grant = this.#grantOf(uid)
    if (grant === null) return
    const recorded = recordedIn(grant, carrier)
    if (recorded === undefined) {
      const others = this.#others.get(uid) ?? new Map<string, CarrierName>()
      this.#others.set(uid, others.set(idOf(carrier), carrier))
    }
    const isFresh = !isKnown && recorded?.uid === ownUid
    if (!isFresh && grant.status?.state === 'Active') touched(keyOf(grant))
  }

  #grantOf(uid: string): NHIGrant | null {
    const key = this.#grants.get(uid)
    const grant = key === undefined ? null : this.#caches.grants.get(key)
    return grant?.metadata.uid === uid ? grant : null
  }
}

/** What the status of a grant says of an object that is there. */
export function recordedIn(
  grant: NHIGrant,
  { kind, namespace, name }: CarrierName,
): { readonly uid?: string } | undefined {
  if (namespace !== (grant.metadata.namespace ?? '')) return undefined
  return (grant.status?.objects ?? []).find((object) => object.kind === kind && object.name === name)
}

function bindingKind({ namespace }: ObjectKey): CarrierKind {
  return namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding'
}

function grantUidOf(carrier: GrantCarrier | null): string | null {
  return carrier?.metadata.labels?.[marks.grantUid] ?? null
}

function keyOf({ metadata }: NHIGrant): ObjectKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name }
}

function idOf({ kind, namespace, name }: CarrierName): string {
  return `${kind}/${namespace}/${name}`
}
