import { Groups } from '../core/groups.ts'
import { describeIdentity, type Identity } from '../core/identity.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import type { Suspension } from '../core/world.ts'

/** Who is suspended: by one or by many, and until the last of them is gone. */
export class Suspensions {
  readonly #byName = new Map<string, Suspension>()
  readonly #bySubject = new Groups<Suspension>()

  /** null: what has that name suspends nobody. */
  put(name: string, suspension: Suspension | null): void {
    this.remove(name)
    if (suspension === null) return
    this.#byName.set(name, suspension)
    this.#bySubject.put(keyOf(suspension.subject), name, suspension)
  }

  remove(name: string): void {
    const suspension = this.#byName.get(name)
    if (suspension === undefined) return
    this.#byName.delete(name)
    this.#bySubject.remove(keyOf(suspension.subject), name)
  }

  of(subject: Identity): Suspension | null {
    const [first = null] = this.#bySubject.of(keyOf(subject))
    return first
  }
}

function keyOf(subject: Identity): string {
  return describeIdentity(canonicalIdentity(subject))
}
