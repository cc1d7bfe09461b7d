import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Cache, Change, ObjectKey, ObjectReference, ObjectWatcher, WatchedObject } from '../../cluster/ports.ts'
import { isTerminal, type UntilSpec } from '../../core/grant/grant.ts'
import type { UntilFacts } from '../../core/grant/until.ts'
import { readUntilObject } from '../../core/grant/until-object.ts'
import { objectNamedBy } from './named-in-spec.ts'
import type { UntilObjects } from './until-objects.ts'

/** Each is a connection of its own to the API server. */
const mostWatched = 500

interface Named {
  readonly reference: ObjectReference
  /** The grants that end with it, by their own key. Never empty. */
  readonly grants: Map<string, ObjectKey>
  /** null: there are too many. */
  watched: WatchedObject | null
}

/** Watches each object that a grant which has not ended names, once, for as long as there is such a grant. */
export class WatchedUntilObjects implements UntilObjects {
  readonly #watcher: ObjectWatcher
  readonly #most: number
  /** In the order in which they were named first. */
  readonly #named = new Map<string, Named>()
  #watchedCount = 0
  readonly #stopping = new Set<Promise<void>>()
  #changed: (grant: ObjectKey) => void = () => {}
  #isStopped = false

  constructor(watcher: ObjectWatcher, most = mostWatched) {
    this.#watcher = watcher
    this.#most = most
  }

  /** How many are watched now. */
  get watchedCount(): number {
    return this.#watchedCount
  }

  follow(grants: Cache<NHIGrant>, changed: (grant: ObjectKey) => void): void {
    this.#changed = changed
    grants.subscribe((change) => this.#apply(change))
  }

  factsOf(namespace: string, until: UntilSpec | null): UntilFacts {
    if (until === null) return { kind: 'None' }
    const { apiVersion, kind, name } = until
    const named = this.#named.get(idOf({ apiVersion, kind, namespace, name }))
    if (named?.watched === null)
      return { kind: 'Unknown', message: `the operator watches ${this.#most} such objects already` }
    const sight = named?.watched.sight ?? { kind: 'Unread' }
    switch (sight.kind) {
      case 'Unread':
      case 'Absent':
        return sight
      case 'Unreadable':
        return { kind: 'Unknown', message: sight.message }
      case 'Present':
        return readUntilObject(until, sight.object)
    }
  }

  /** Resolves when nothing is watched any more. For good. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const named of this.#named.values()) this.#end(named)
    this.#named.clear()
    await Promise.all(this.#stopping)
  }

  /** What comes is named before what goes is let go, so that what both name is watched on. */
  #apply({ key, before, after }: Change<NHIGrant>): void {
    if (this.#isStopped) return
    const left = before === null ? null : namedWhileItLasts(before)
    const reference = after === null ? null : namedWhileItLasts(after)
    if (reference !== null) this.#hold(reference, key)
    if (left !== null && (reference === null || idOf(left) !== idOf(reference))) this.#release(left, key)
  }

  #hold(reference: ObjectReference, grant: ObjectKey): void {
    const id = idOf(reference)
    const named = this.#named.get(id) ?? { reference, grants: new Map<string, ObjectKey>(), watched: null }
    named.grants.set(`${grant.namespace}/${grant.name}`, grant)
    if (this.#named.has(id)) return
    this.#named.set(id, named)
    this.#begin(named)
  }

  #release(reference: ObjectReference, grant: ObjectKey): void {
    const named = this.#named.get(idOf(reference))
    named?.grants.delete(`${grant.namespace}/${grant.name}`)
    if (named === undefined || named.grants.size > 0) return
    this.#named.delete(idOf(reference))
    if (named.watched === null) return
    this.#end(named)
    const next = this.#watchedCount < this.#most ? this.#firstUnwatched() : undefined
    if (next !== undefined) this.#begin(next)
  }

  #firstUnwatched(): Named | undefined {
    if (this.#named.size === this.#watchedCount) return undefined
    return [...this.#named.values()].find(({ watched }) => watched === null)
  }

  #begin(named: Named): void {
    if (this.#watchedCount >= this.#most) return
    this.#watchedCount++
    named.watched = this.#watcher.watch(named.reference, () => named.grants.forEach((grant) => this.#changed(grant)))
  }

  #end(named: Named): void {
    if (named.watched === null) return
    this.#watchedCount--
    const stopping = named.watched.stop().finally(() => this.#stopping.delete(stopping))
    this.#stopping.add(stopping)
  }
}

/** null: it has ended, or only time ends it. */
function namedWhileItLasts(grant: NHIGrant): ObjectReference | null {
  return isTerminal(grant.status?.state ?? 'Pending') ? null : objectNamedBy(grant)
}

/** One string for an object; no part but the first contains a slash. */
function idOf({ apiVersion, kind, namespace, name }: ObjectReference): string {
  return `${apiVersion}/${kind}/${namespace}/${name}`
}
