import type { Instant, Millis } from '../core/time.ts'

/** The only source of time outside `core`; tests put a hand-driven one in its place. */
export interface Clock {
  /** The wall clock: somebody may set it, also back. */
  now(): Instant
  /** The time since some fixed moment of this process; goes on evenly whatever the wall clock is set to. */
  monotonic(): Millis
  /** Runs the action once, `delay` from now (at the next turn when not positive). Returns how to call it off. */
  after(delay: Millis, action: () => void): () => void
}

/** A clock that says how early it may be as well: what is given anew is counted from there, what has ended goes by `now`. */
export interface TwoSidedClock extends Clock {
  /** Never after `now`. */
  earliest(): Instant
}

/** Node fires a timer beyond 2^31−1 ms at once; longer waits are made of several. */
const longestTimer = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delay, action) {
    let timer: NodeJS.Timeout
    const wait = (rest: Millis): void => {
      const step = Math.min(rest, longestTimer)
      timer = setTimeout(() => (rest > step ? wait(rest - step) : action()), Math.max(step, 0))
    }
    wait(delay)
    return () => clearTimeout(timer)
  },
}
