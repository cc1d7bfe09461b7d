/** A first-in-first-out line of distinct keys; every operation takes constant time on average. */
export class Fifo {
  #line: string[] = []
  #head = 0
  readonly #waiting = new Set<string>()

  get size(): number {
    return this.#waiting.size
  }

  /** Does nothing when the key waits already. */
  push(key: string): void {
    if (this.#waiting.has(key)) return
    this.#waiting.add(key)
    this.#line.push(key)
  }

  /** undefined when nobody waits. */
  shift(): string | undefined {
    const key = this.#line[this.#head]
    if (key === undefined) return undefined
    this.#head += 1
    this.#waiting.delete(key)
    if (this.#head > 1_000 && this.#head * 2 > this.#line.length) {
      this.#line = this.#line.slice(this.#head)
      this.#head = 0
    }
    return key
  }

  clear(): void {
    this.#line = []
    this.#head = 0
    this.#waiting.clear()
  }
}
