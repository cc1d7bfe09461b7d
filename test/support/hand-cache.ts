import type { Cache, Change, ObjectKey } from '../../src/cluster/ports.ts'

interface Named {
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly uid: string }
}

/** A cache that a test fills and changes by hand. */
export class HandCache<T extends object = object> implements Cache<T> {
  readonly hasSynced = true
  readonly #objects = new Map<string, T>()
  readonly #handlers: ((change: Change<T>) => void)[] = []

  get(key: ObjectKey): T | null {
    return this.#objects.get(idOf(key)) ?? null
  }

  list(): readonly T[] {
    return [...this.#objects.values()]
  }

  subscribe(handler: (change: Change<T>) => void): void {
    this.#handlers.push(handler)
    for (const object of this.list()) handler({ key: keyOf(object), before: null, after: object })
  }

  put(object: T): void {
    const key = keyOf(object)
    const before = this.get(key)
    this.#objects.set(idOf(key), object)
    this.#tell({ key, before, after: object })
  }

  remove(object: T): void {
    const key = keyOf(object)
    const before = this.get(key)
    this.#objects.delete(idOf(key))
    this.#tell({ key, before, after: null })
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers) handler(change)
  }
}

function keyOf(object: object): ObjectKey {
  const { namespace = '', name } = (object as Named).metadata
  return { namespace, name }
}

function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`
}
