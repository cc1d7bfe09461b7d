import type { Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'

const firstPause: Millis = 1_000
const longestPause: Millis = 60_000
/** After so long without a need for it what was restored is not held against the next time. */
const forgetAfter: Millis = 600_000

/**
 * Keeps what is restored from becoming an endless fight with somebody who goes on deleting it: the first time it is at once,
 * then after 1 s, doubled each time up to a minute. Only giving access back waits; taking it away never does.
 */
export class Restraint {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** By the grant's UID; monotonic. */
  readonly #restored = new Map<string, { readonly times: number; readonly last: Millis }>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** How long to wait before something of that grant is restored; 0: not at all. */
  pauseFor(grantUid: string): Millis {
    const restored = this.#restored.get(grantUid)
    if (restored === undefined) return 0
    const since = this.#clock.monotonic() - restored.last
    if (since >= forgetAfter) return 0
    return Math.max(0, Math.min(firstPause * 2 ** (restored.times - 1), longestPause) - since)
  }

  restored(grantUid: string): void {
    const now = this.#clock.monotonic()
    for (const [uid, { last }] of this.#restored) if (now - last >= forgetAfter) this.#restored.delete(uid)
    this.#restored.set(grantUid, { times: (this.#restored.get(grantUid)?.times ?? 0) + 1, last: now })
  }
}
