import type { Cache } from '../cluster/ports.ts'
import type { World } from '../core/world.ts'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import { WorldIndex, worldKinds, type OperatorTerms, type WorldKind } from '../world/world-index.ts'
import type { WorldReference } from './answer.ts'

/** The world that reviews look at, and how to wait for it. */
export interface ReviewedWorld {
  readonly world: World
  /** False until everything that exists has been taken in. */
  isReady(): boolean
  /** For how long the API server was not heard on the cache that has heard nothing for longest; null: not known. */
  readonly age: Millis | null
  /** Resolves when one of these objects changes, or after that time. */
  nextChange(references: readonly WorldReference[], within: Millis): Promise<void>
}

/** A cache that may know for how long it has heard nothing. */
type FollowedCache = Cache<object> & { readonly age?: Millis | null }

interface Waiter {
  readonly keys: ReadonlySet<string>
  readonly wake: () => void
}

/** The world as the caches of this process know it. */
export class WatchedWorld implements ReviewedWorld {
  readonly #world: WorldIndex
  readonly #clock: Clock
  readonly #caches = new Map<WorldKind, Pick<FollowedCache, 'hasSynced' | 'age'>>()
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

  isReady(): boolean {
    return worldKinds.every((kind) => this.#caches.get(kind)?.hasSynced === true)
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
