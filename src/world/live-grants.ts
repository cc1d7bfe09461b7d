import { Groups } from '../core/groups.ts'
import { usernameOf, type Identity } from '../core/identity.ts'
import type { LiveGrant } from '../core/world.ts'

/** The grants that have not ended, by policy and by subject, and the bindings that carry those that are Active. */
export class LiveGrants {
  readonly #known = new Map<string, LiveGrant>()
  readonly #byPolicy = new Groups<LiveGrant>()
  readonly #byUsername = new Groups<LiveGrant>()
  #bindings: ReadonlySet<string> = new Set()
  #changed = false

  /** null: the grant has ended. */
  put(key: string, grant: LiveGrant | null): void {
    this.remove(key)
    if (grant === null) return
    this.#known.set(key, grant)
    this.#byPolicy.put(grant.policy, key, grant)
    const username = usernameOf(grant.subject)
    if (username !== null) this.#byUsername.put(username, key, grant)
  }

  remove(key: string): void {
    this.#changed = true
    const grant = this.#known.get(key)
    if (grant === undefined) return
    this.#known.delete(key)
    this.#byPolicy.remove(grant.policy, key)
    this.#byUsername.remove(usernameOf(grant.subject) ?? '', key)
  }

  has(key: string): boolean {
    return this.#known.has(key)
  }

  /** Those for other subjects than the one that is given may be left out. */
  under(policy: string, subject: Identity | null = null): readonly LiveGrant[] {
    const username = subject === null ? null : usernameOf(subject)
    if (username !== null) return this.of(username).filter((grant) => grant.policy === policy)
    return this.#byPolicy.of(policy)
  }

  /** A subject may be spelled out as a User: its user name is the same. */
  of(username: string): readonly LiveGrant[] {
    return this.#byUsername.of(username)
  }

  /** A new set only when its content differs, so that what is memoised by it stays good through unrelated changes. */
  bindings(): ReadonlySet<string> {
    if (!this.#changed) return this.#bindings
    this.#changed = false
    const now = new Set<string>()
    for (const { state, bindings } of this.#known.values())
      if (state === 'Active') for (const uid of bindings) now.add(uid)
    const same = now.size === this.#bindings.size && [...now].every((uid) => this.#bindings.has(uid))
    if (!same) this.#bindings = now
    return this.#bindings
  }
}
