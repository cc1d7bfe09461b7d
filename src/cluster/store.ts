import type { Change, KubeObject, ObjectKey } from './ports.ts'
import { SharedTexts } from './shared-texts.ts'

interface Entry<T> {
  readonly key: ObjectKey
  readonly uid: string
  readonly resourceVersion: string
  readonly value: T
}

/** The newest known version of every object of one type. Each method returns what changed by it, in order. */
export class Store<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #transform: (object: KubeObject) => T
  readonly #texts = new SharedTexts()
  /** Made when it is asked for; null after a change. */
  #values: readonly T[] | null = null

  constructor(transform: (object: KubeObject) => T) {
    this.#transform = transform
  }

  get(key: ObjectKey): T | null {
    return this.#entries.get(idOf(key))?.value ?? null
  }

  list(): readonly T[] {
    this.#values ??= Array.from(this.#entries.values(), ({ value }) => value)
    return this.#values
  }

  /** Every object as if it had just been created. */
  contents(): readonly Change<T>[] {
    return Array.from(this.#entries.values(), ({ key, value }) => ({ key, before: null, after: value }))
  }

  /** Another UID under a known name is another object: a removal, then an addition. */
  put(object: KubeObject): readonly Change<T>[] {
    const known = this.#entries.get(idOf(keyOf(object)))
    if (known?.uid === object.metadata.uid && known.resourceVersion === object.metadata.resourceVersion) return []
    const kept = this.#texts.within(object)
    const { uid, resourceVersion } = kept.metadata
    const key = keyOf(kept)
    const value = this.#transform(kept)
    this.#values = null
    this.#entries.set(idOf(key), { key, uid, resourceVersion, value })
    if (known === undefined || known.uid === uid) return [{ key, before: known?.value ?? null, after: value }]
    return [
      { key, before: known.value, after: null },
      { key, before: null, after: value },
    ]
  }

  remove(key: ObjectKey): readonly Change<T>[] {
    const known = this.#entries.get(idOf(key))
    if (known === undefined) return []
    this.#values = null
    this.#entries.delete(idOf(key))
    return [{ key, before: known.value, after: null }]
  }

  /** Takes these objects for all that exist; removals come first. */
  replace(objects: readonly KubeObject[]): readonly Change<T>[] {
    const present = new Set(objects.map((object) => idOf(keyOf(object))))
    const gone = Array.from(this.#entries.values()).filter(({ key }) => !present.has(idOf(key)))
    return [...gone.flatMap(({ key }) => this.remove(key)), ...objects.flatMap((object) => this.put(object))]
  }
}

function keyOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name }
}

/** One string for a key; no name and no namespace contains a slash. */
export function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`
}
