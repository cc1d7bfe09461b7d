import type { KubeObject, ObjectKey } from '../../src/cluster/ports.ts'

export interface HistoryEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** For DELETED: as it was last, with the version of its removal. */
  readonly object: KubeObject
  readonly version: number
}

/** What an API server remembers of the objects of one type: the newest of each, and every change since the last compaction. */
export class ObjectHistory {
  readonly #objects = new Map<string, KubeObject>()
  readonly #events: HistoryEvent[] = []
  #version = 100
  #compacted = 0
  #uids = 0

  get version(): number {
    return this.#version
  }

  /** In the order of their keys, as lists are. */
  get objects(): readonly KubeObject[] {
    return [...this.#objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  /** Every change there ever was, forgotten or not: for the test, not for clients. */
  get events(): readonly HistoryEvent[] {
    return this.#events
  }

  /** Creates or changes. */
  put(key: ObjectKey): HistoryEvent {
    const before = this.#objects.get(idOf(key))
    const uid = before?.metadata.uid ?? `uid-${++this.#uids}`
    const version = ++this.#version
    const object: KubeObject = {
      metadata: { ...key, uid, resourceVersion: String(version) },
      note: `${version} naïve ✓ 𝄞`,
    }
    this.#objects.set(idOf(key), object)
    return this.#record({ type: before === undefined ? 'ADDED' : 'MODIFIED', object, version })
  }

  /** null: there is none. */
  remove(key: ObjectKey): HistoryEvent | null {
    const object = this.#objects.get(idOf(key))
    if (object === undefined) return null
    const version = ++this.#version
    this.#objects.delete(idOf(key))
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    return this.#record({ type: 'DELETED', object: last, version })
  }

  /** Forgets everything that happened so far. */
  compact(): void {
    this.#compacted = this.#version
  }

  isForgotten(version: number): boolean {
    return version < this.#compacted
  }

  since(version: number): readonly HistoryEvent[] {
    return this.#events.filter((event) => event.version > version)
  }

  #record(event: HistoryEvent): HistoryEvent {
    this.#events.push(event)
    return event
  }
}

function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`
}
