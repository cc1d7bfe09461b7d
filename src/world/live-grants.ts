import type { LiveGrant } from '../core/world.ts'

/** The grants that have not ended, by policy, and the bindings that carry those that are Active. */
export class LiveGrants {
  readonly #policyOf = new Map<string, string>()
  readonly #byPolicy = new Map<string, Map<string, LiveGrant>>()
  #bindings: ReadonlySet<string> = new Set()
  #changed = false

  /** null: the grant has ended. */
  put(key: string, grant: LiveGrant | null): void {
    this.remove(key)
    if (grant === null) return
    const grants = this.#byPolicy.get(grant.policy) ?? new Map<string, LiveGrant>()
    this.#byPolicy.set(grant.policy, grants.set(key, grant))
    this.#policyOf.set(key, grant.policy)
  }

  remove(key: string): void {
    this.#changed = true
    const policy = this.#policyOf.get(key)
    if (policy === undefined) return
    this.#policyOf.delete(key)
    this.#byPolicy.get(policy)?.delete(key)
  }

  under(policy: string): readonly LiveGrant[] {
    return [...(this.#byPolicy.get(policy)?.values() ?? [])]
  }

  /** A new set only when its content differs, so that what is memoised by it stays good through unrelated changes. */
  bindings(): ReadonlySet<string> {
    if (!this.#changed) return this.#bindings
    this.#changed = false
    const now = new Set<string>()
    for (const grants of this.#byPolicy.values())
      for (const grant of grants.values()) if (grant.state === 'Active') for (const uid of grant.bindings) now.add(uid)
    const same = now.size === this.#bindings.size && [...now].every((uid) => this.#bindings.has(uid))
    if (!same) this.#bindings = now
    return this.#bindings
  }
}
