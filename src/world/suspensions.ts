import { describeIdentity, type Identity } from '../core/identity.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import type { Suspension } from '../core/world.ts'

/** Who is suspended: by one or by many, and until the last of them is gone. */
export class Suspensions {
  readonly #byName = new Map<string, Suspension>()
  readonly #bySubject = new Map<string, Map<string, Suspension>>()

  /** null: what has that name suspends nobody. */
  put(name: string, suspension: Suspension | null): void {
    this.remove(name)
    if (suspension === null) return
    this.#byName.set(name, suspension)
    const key = keyOf(suspension.subject)
    const others = this.#bySubject.get(key) ?? new Map<string, Suspension>()
    this.#bySubject.set(key, others.set(name, suspension))
  }

  remove(name: string): void {
    const suspension = this.#byName.get(name)
    if (suspension === undefined) return
    this.#byName.delete(name)
    const key = keyOf(suspension.subject)
    const others = this.#bySubject.get(key)
    others?.delete(name)
    if (others?.size === 0) this.#bySubject.delete(key)
  }

  of(subject: Identity): Suspension | null {
    const [first = null] = this.#bySubject.get(keyOf(subject))?.values() ?? []
    return first
  }
}

function keyOf(subject: Identity): string {
  return describeIdentity(canonicalIdentity(subject))
}
