/** Texts that many objects hold, and those that one holds many times; more are forgotten, and begun again. */
const mostTexts = 4_096
/** Longer ones are hardly ever equal. */
const longestText = 128

/**
 * Keeps one copy of each text in objects that are kept for long: a parser makes a new one wherever it meets it, and of a
 * cache of small objects with many names in them that is a third.
 */
export class SharedTexts {
  readonly #texts = new Map<string, string>()

  /** The value itself, whose texts are other copies now. It must be its caller's own, as JSON.parse made it. */
  within<T>(value: T): T {
    return this.#shared(value) as T
  }

  #shared(value: unknown): unknown {
    if (typeof value === 'string') return value.length > longestText ? value : this.#copyOf(value)
    if (typeof value !== 'object' || value === null) return value
    const fields = value as Record<string, unknown>
    for (const name of Object.keys(fields)) {
      const field = fields[name]
      if (typeof field === 'string' || typeof field === 'object') fields[name] = this.#shared(field)
    }
    return value
  }

  #copyOf(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size >= mostTexts) this.#texts.clear()
    this.#texts.set(text, text)
    return text
  }
}
