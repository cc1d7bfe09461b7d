/** Milliseconds within which access is gone after its `notAfter`, whatever is killed but the reaper; counted from when the API server answers. */
export const expiryBound = 8_000
/**
 * The same after a revocation, a deletion or a new version of the policy, which take a controller: counted from when none
 * was killed any more, too. The lease of the last one runs out in 15 s; the longest back-off is 5 s.
 */
export const revocationBound = 25_000

/** Since when those work, or could work, who end access. Instants are those of Date.now(). */
export class Troubles {
  #apiServerBackAt = 0
  #controllerKilledAt = 0

  controllerKilled(): void {
    this.#controllerKilledAt = Date.now()
  }

  /** While that goes on there is no API server that answers. */
  async withoutApiServer(act: () => Promise<void>): Promise<void> {
    this.#apiServerBackAt = Infinity
    await act()
    this.#apiServerBackAt = Date.now()
  }

  /** Until when access may be there that expired then. */
  deadlineOfExpiry(end: number): number {
    return Math.max(end, this.#apiServerBackAt) + expiryBound
  }

  /** The same of what was ended before its time. */
  deadlineOfRevocation(end: number): number {
    return Math.max(end, this.#apiServerBackAt, this.#controllerKilledAt) + revocationBound
  }
}
