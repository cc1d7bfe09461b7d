import type { Cache, Change, ObjectKey } from '../cluster/ports.ts'

/** Several caches as one. No key may be in two of them: a namespaced and a cluster-scoped type have none in common. */
export class MergedCache<T> implements Cache<T> {
  readonly #caches: readonly Cache<T>[]

  constructor(caches: readonly Cache<T>[]) {
    this.#caches = caches
  }

  get(key: ObjectKey): T | null {
    for (const cache of this.#caches) {
      const found = cache.get(key)
      if (found !== null) return found
    }
    return null
  }

  list(): readonly T[] {
    return this.#caches.flatMap((cache) => cache.list())
  }

  get hasSynced(): boolean {
    return this.#caches.every(({ hasSynced }) => hasSynced)
  }

  subscribe(handler: (change: Change<T>) => void): void {
    for (const cache of this.#caches) cache.subscribe(handler)
  }
}
