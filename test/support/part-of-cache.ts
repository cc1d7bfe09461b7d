import type { Cache, Change, ObjectKey } from '../../src/cluster/ports.ts'

/** What a cache has of the objects that concern a test, as if there were no others. */
export class PartOfCache<T> implements Cache<T> {
  readonly #whole: Cache<T>
  readonly #concerns: (object: T) => boolean

  constructor(whole: Cache<T>, concerns: (object: T) => boolean) {
    this.#whole = whole
    this.#concerns = concerns
  }

  get(key: ObjectKey): T | null {
    return this.#own(this.#whole.get(key))
  }

  list(): readonly T[] {
    return this.#whole.list().filter(this.#concerns)
  }

  get hasSynced(): boolean {
    return this.#whole.hasSynced
  }

  subscribe(handler: (change: Change<T>) => void): void {
    this.#whole.subscribe(({ key, before, after }) => {
      const change = { key, before: this.#own(before), after: this.#own(after) }
      if (change.before !== null || change.after !== null) handler(change)
    })
  }

  #own(object: T | null): T | null {
    return object !== null && this.#concerns(object) ? object : null
  }
}
