/** The only member of a group. Most groups have one, and a Map takes as much room as eight of these. */
class Only<T> {
  readonly key: string
  readonly value: T

  constructor(key: string, value: T) {
    this.key = key
    this.value = value
  }
}

/** Values in groups, each under a key of its own. Nothing is kept of a group that has no member any more. */
export class Groups<T> {
  readonly #groups = new Map<string, Only<T> | Map<string, T>>()

  /** In the order in which they came. */
  of(group: string): readonly T[] {
    const members = this.#groups.get(group)
    if (members === undefined) return []
    return members instanceof Only ? [members.value] : [...members.values()]
  }

  has(group: string): boolean {
    return this.#groups.has(group)
  }

  put(group: string, key: string, value: T): void {
    const members = this.#groups.get(group)
    if (members instanceof Map) members.set(key, value)
    else if (members === undefined || members.key === key) this.#groups.set(group, new Only(key, value))
    else
      this.#groups.set(
        group,
        new Map([
          [members.key, members.value],
          [key, value],
        ]),
      )
  }

  remove(group: string, key: string): void {
    const members = this.#groups.get(group)
    if (members instanceof Map) members.delete(key)
    const isEmpty = members instanceof Map ? members.size === 0 : members?.key === key
    if (isEmpty) this.#groups.delete(group)
  }
}
