import type { Cache } from '../cluster/ports.ts'
import type { World } from '../core/world.ts'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import { WorldIndex, worldKinds, type WorldKind } from '../world/world-index.ts'
import type { WorldReference } from './answer.ts'

/** The world that reviews look at, and how to wait for it. */
export interface ReviewedWorld {
  readonly world: World
  /** False until everything that exists has been taken in. */
  isReady(): boolean
  /** Resolves when one of these objects changes, or after that time. */
  nextChange(references: readonly WorldReference[], within: Millis): Promise<void>
}

interface Waiter {
  readonly keys: ReadonlySet<string>
  readonly wake: () => void
}

/** The world as the caches of this process know it. */
export class WatchedWorld implements ReviewedWorld {
  readonly #world = new WorldIndex()
  readonly #clock: Clock
  readonly #caches = new Map<WorldKind, Pick<Cache, 'hasSynced'>>()
  readonly #waiters = new Set<Waiter>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get world(): WorldIndex {
    return this.#world
  }

  /** Takes in every object of a kind from now on. Once for each kind. */
  follow(kind: WorldKind, cache: Cache<object>): void {
    this.#caches.set(kind, cache)
    cache.subscribe((change) => {
      this.#world.apply(kind, change)
      this.#wake(keyOf({ kind, ...change.key }))
    })
  }

  isReady(): boolean {
    return worldKinds.every((kind) => this.#caches.get(kind)?.hasSynced === true)
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
