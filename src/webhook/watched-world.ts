import type { Cache } from '../cluster/ports.ts'
import type { World } from '../core/world.ts'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import { WorldIndex, worldKinds, type OperatorTerms, type WorldKind } from '../world/world-index.ts'
import type { WorldReference } from './answer.ts'
import { SaidOfGrants, type Saying } from './said-of-grants.ts'

/** The world that reviews look at, and how to wait for it. */
export interface ReviewedWorld {
  readonly world: World
  /** What was said of grants before. */
  readonly said: Pick<SaidOfGrants, 'nameOf'>
  /** False until everything that exists has been taken in. */
  isReady(): boolean
  /** For how long the API server was not heard on the cache that has heard nothing for longest; null: not known. */
  readonly age: Millis | null
  /** Resolves when one of these objects changes, or after that time. */
  nextChange(references: readonly WorldReference[], within: Millis): Promise<void>
}

/** A cache that may know for how long it has heard nothing. */
type FollowedCache<T = object> = Cache<T> & { readonly age?: Millis | null }

/** Approvals are no part of the world that decisions look at: only the review of another one asks for them. */
const followedKinds = [...worldKinds, 'NHIGrantApproval'] as const
type FollowedKind = (typeof followedKinds)[number]

interface Waiter {
  readonly keys: ReadonlySet<string>
  readonly wake: () => void
}

/** The world as the caches of this process know it. */
export class WatchedWorld implements ReviewedWorld {
  readonly said = new SaidOfGrants()
  readonly #world: WorldIndex
  readonly #clock: Clock
  readonly #caches = new Map<FollowedKind, Pick<FollowedCache, 'hasSynced' | 'age'>>()
  readonly #waiters = new Set<Waiter>()

  constructor(clock: Clock, known: Partial<OperatorTerms> = {}) {
    this.#clock = clock
    this.#world = new WorldIndex(known)
  }

  get world(): WorldIndex {
    return this.#world
  }

  /** Takes in every object of a kind from now on. Once for each kind. */
  follow(kind: WorldKind, cache: FollowedCache): void {
    this.#caches.set(kind, cache)
    cache.subscribe((change) => {
      this.#world.apply(kind, change)
      this.#wake(keyOf({ kind, ...change.key }))
    })
  }

  /** The same of what is said of grants. Once. */
  followApprovals(cache: FollowedCache<Saying | null>): void {
    this.#caches.set('NHIGrantApproval', cache)
    cache.subscribe((change) => this.said.apply(change))
  }

  isReady(): boolean {
    return followedKinds.every((kind) => this.#caches.get(kind)?.hasSynced === true)
  }

  get age(): Millis | null {
    let oldest: Millis | null = null
    for (const { age = null } of this.#caches.values()) if (age !== null && age > (oldest ?? -1)) oldest = age
    return oldest
  }

  nextChange(references: readonly WorldReference[], within: Millis): Promise<void> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        keys: new Set(references.map(keyOf)),
        wake: () => {
          callOff()
          this.#waiters.delete(waiter)
          resolve()
        },
      }
      const callOff = this.#clock.after(within, () => waiter.wake())
      this.#waiters.add(waiter)
    })
  }

  #wake(key: string): void {
    for (const waiter of this.#waiters) if (waiter.keys.has(key)) waiter.wake()
  }
}

function keyOf({ kind, namespace, name }: WorldReference): string {
  return `${kind} ${namespace}/${name}`
}
