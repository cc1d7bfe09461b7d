import { marks, type NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Cache, Change, MetadataOnly, ObjectKey } from '../../cluster/ports.ts'
import { Groups } from '../../core/groups.ts'
import type { Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isUnderWay } from './under-way.ts'

export interface StrayBindingCaches {
  readonly grants: Cache<NHIGrant>
  /** RoleBindings that carry a grant. */
  readonly grantBindings: Cache<MetadataOnly>
}

/**
 * Bindings whose grant is not under way: it has ended, or nothing is known of it. Such a binding was asked for by a write that
 * was held up on its way until its grant had been removed, and gives access that nobody would end. The caches follow
 * watches of their own, so that in every life a binding may be one for a moment: only what is one for longer is stray.
 */
export class StrayBindings {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** UIDs of grants. */
  readonly #underWay = new Set<string>()
  /** Keys of bindings, by the UID of their grant. */
  readonly #bindings = new Groups<true>()
  /** UIDs of grants that are over and have bindings, the oldest first, each with the time since when. */
  readonly #since = new Map<string, Millis>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** For how long there has been one, of several the longest; null: there is none. */
  get age(): Millis | null {
    const [oldest] = this.#since.values()
    return oldest === undefined ? null : this.#clock.monotonic() - oldest
  }

  /**
   * Begins to look. `found` is called, if need be for each of many, when a binding appears whose grant is not under way, and
   * when a grant ends that has bindings still. A grant that is deleted is none of these: its reconciler removes what is there,
   * and what comes later appears.
   */
  follow({ grants, grantBindings }: StrayBindingCaches, found: () => void): void {
    grants.subscribe((change) => this.#takeGrant(change, found))
    grantBindings.subscribe((change) => this.#takeBinding(change, found))
  }

  #takeGrant({ before, after }: Change<NHIGrant>, found: () => void): void {
    if (before !== null) this.#underWay.delete(before.metadata.uid)
    if (after === null) return
    const { uid } = after.metadata
    if (isUnderWay(after)) {
      this.#underWay.add(uid)
      this.#since.delete(uid)
    } else if (this.#bindings.has(uid)) this.#find(uid, found)
  }

  #takeBinding({ key, before, after }: Change<MetadataOnly>, found: () => void): void {
    const [was, is] = [carriedBy(before), carriedBy(after)]
    if (was === is) return
    if (was !== null) this.#remove(was, key)
    if (is === null) return
    this.#bindings.put(is, idOf(key), true)
    if (!this.#underWay.has(is)) this.#find(is, found)
  }

  #find(grantUid: string, found: () => void): void {
    if (!this.#since.has(grantUid)) this.#since.set(grantUid, this.#clock.monotonic())
    found()
  }

  #remove(grantUid: string, key: ObjectKey): void {
    this.#bindings.remove(grantUid, idOf(key))
    if (!this.#bindings.has(grantUid)) this.#since.delete(grantUid)
  }
}

/** The UID of the grant that a binding carries; null: there is none, or it is being deleted and nothing more can be done to it. */
function carriedBy(binding: MetadataOnly | null): string | null {
  if (binding === null || binding.metadata.deletionTimestamp !== undefined) return null
  return binding.metadata.labels?.[marks.grantUid] ?? null
}

function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`
}
