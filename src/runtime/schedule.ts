import type { Instant } from '../core/time.ts'

interface Appointment {
  readonly key: string
  readonly at: Instant
}

/**
 * Keys and the instant at which each is due, by whichever clock its user goes by; at most one appointment per key, the
 * earliest that was asked for.
 */
export class Schedule {
  /** A binary heap by instant. Entries that `#due` does not confirm were superseded by an earlier one. */
  readonly #heap: Appointment[] = []
  readonly #due = new Map<string, Instant>()

  get size(): number {
    return this.#due.size
  }

  /** Keeps the earlier of this appointment and the one there is. */
  set(key: string, at: Instant): void {
    const known = this.#due.get(key)
    if (known !== undefined && known <= at) return
    this.#due.set(key, at)
    this.#heap.push({ key, at })
    this.#siftUp(this.#heap.length - 1)
  }

  /** The earliest instant at which a key is due; null when there is none. */
  next(): Instant | null {
    for (let head = this.#heap[0]; head !== undefined; head = this.#heap[0]) {
      if (this.#due.get(head.key) === head.at) return head.at
      this.#removeHead()
    }
    return null
  }

  /** Takes out a key that is due at `now` or was before, the earliest first; null when there is none. */
  take(now: Instant): string | null {
    const at = this.next()
    const head = this.#heap[0]
    if (at === null || head === undefined || at > now) return null
    this.#removeHead()
    this.#due.delete(head.key)
    return head.key
  }

  clear(): void {
    this.#heap.length = 0
    this.#due.clear()
  }

  #removeHead(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#siftDown()
  }

  #siftUp(start: number): void {
    for (let child = start; child > 0;) {
      const parent = (child - 1) >> 1
      if (!this.#swapIfLater(parent, child)) return
      child = parent
    }
  }

  #siftDown(): void {
    for (let parent = 0; ;) {
      const left = 2 * parent + 1
      const earlier = this.#at(left + 1) < this.#at(left) ? left + 1 : left
      if (!this.#swapIfLater(parent, earlier)) return
      parent = earlier
    }
  }

  #at(index: number): Instant {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY
  }

  #swapIfLater(parent: number, child: number): boolean {
    const above = this.#heap[parent]
    const below = this.#heap[child]
    if (above === undefined || below === undefined || above.at <= below.at) return false
    this.#heap[parent] = below
    this.#heap[child] = above
    return true
  }
}
