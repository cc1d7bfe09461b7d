import type { Instant, Millis } from '../../core/time.ts'
import type { TwoSidedClock } from '../../runtime/clock.ts'
import { after, again, done, type Outcome } from '../../runtime/queue.ts'

/** A clock that is behind may be put right meanwhile. */
const longestCatchUp: Millis = 10_000

/** At that instant, and when another clock has not come to it by then, when it has; null: when something changes. */
export function lookAgain(at: Instant | null, clock: TwoSidedClock): Outcome {
  if (at === null) return done
  if (at > clock.now()) return again(at)
  return after(Math.min(Math.max(1, at - clock.earliest()), longestCatchUp))
}
