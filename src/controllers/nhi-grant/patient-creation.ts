import { Forbidden } from '../../cluster/errors.ts'
import type { ObjectKey } from '../../cluster/ports.ts'
import type { Instant, Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Obstacle } from './objects.ts'

/** For so long a refusal to create what carries a grant may be one that passes. */
const forbiddenPatience: Millis = 5_000

/**
 * What the API server goes on forbidding the operator to hand out will not be allowed by trying again. One that has just
 * been started forbids for a moment what it allows as soon as it knows all roles.
 */
export class PatientCreation {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>
  readonly #remind: (key: ObjectKey, at: Instant) => void
  /** By the grant's UID: since when the API server forbids to create its objects; monotonic. */
  readonly #forbiddenSince = new Map<string, Millis>()

  constructor({
    clock,
    remind,
  }: {
    clock: Pick<Clock, 'now' | 'monotonic'>
    remind: (key: ObjectKey, at: Instant) => void
  }) {
    this.#clock = clock
    this.#remind = remind
  }

  /** Creates what carries the grant of that UID. Throws Forbidden for as long as that may pass. */
  async attempt<T>(key: ObjectKey, uid: string, create: () => Promise<T>): Promise<T | Obstacle> {
    const now = this.#clock.monotonic()
    try {
      const created = await create()
      this.forget(uid)
      return created
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error
      const since = this.#forbiddenSince.get(uid)
      if (since === undefined) {
        this.#forbiddenSince.set(uid, now)
        this.#remind(key, this.#clock.now() + forbiddenPatience) // the back-off alone may come to it twice as late
        throw error
      }
      if (now - since < forbiddenPatience) throw error
      return { reason: 'NotHeldByOperator', message: `the operator may not hand this out: ${error.message}` }
    }
  }

  /** The grant is over. */
  forget(uid: string): void {
    this.#forbiddenSince.delete(uid)
  }
}
