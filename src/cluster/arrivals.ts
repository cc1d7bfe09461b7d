import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ObjectKey } from './ports.ts'
import { idOf } from './store.ts'

/** Those who wait for an object that is not there yet. */
export class Arrivals {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<(came: boolean) => void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True as soon as it comes; false after `timeout`, or at the end. */
  wait(key: ObjectKey, timeout: Millis): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(idOf(key)) ?? new Set()
      const settle = (came: boolean): void => {
        cancel()
        waiting.delete(settle)
        if (waiting.size === 0) this.#waiting.delete(idOf(key))
        resolve(came)
      }
      const cancel = this.#clock.after(timeout, () => settle(false))
      this.#waiting.set(idOf(key), waiting.add(settle))
    })
  }

  /** It is there. */
  came(key: ObjectKey): void {
    for (const settle of this.#waiting.get(idOf(key)) ?? []) settle(true)
  }

  /** Nothing will come any more. */
  end(): void {
    for (const waiting of this.#waiting.values()) for (const settle of waiting) settle(false)
  }
}
