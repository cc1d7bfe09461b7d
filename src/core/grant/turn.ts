import type { GrantTerms, Policy } from '../policy/policy.ts'
import type { Instant, Millis } from '../time.ts'
import type { World } from '../world.ts'
import { dependsOnTime, reviewGrantConditions, type AskedGrant } from './conditions.ts'

/** Hours, days and what zones shift them by begin with a whole minute. */
const step: Millis = 60_000
/** So many steps are looked ahead; what lies further is looked at when they have passed. */
const horizon = 120

/**
 * When the conditions of a policy may say something else of a grant by the mere passing of time, after `now` and before `end`: found by asking
 * them of the future, minute by minute and then to the millisecond, so that nothing is polled. null: by `end` they say the same. What
 * turns and turns back within one minute is not seen.
 */
export function nextTurn(
  request: AskedGrant,
  policy: Policy,
  terms: GrantTerms,
  world: World,
  { now, end }: { readonly now: Instant; readonly end: Instant },
): Instant | null {
  if (!dependsOnTime(terms)) return null
  const sayAt = (at: Instant): string =>
    JSON.stringify(reviewGrantConditions(request, policy, terms, world, at, 'under this version'))
  const today = sayAt(now)
  let before = now
  for (let steps = 0; steps < horizon; steps++) {
    const after = Math.min(end, (Math.floor(before / step) + 1) * step)
    if (sayAt(after) !== today) return firstOther(before, after, (at) => sayAt(at) !== today)
    if (after >= end) return null
    before = after
  }
  return before
}

/** The first instant after `before`, at most `after`, that is another; `after` is. */
function firstOther(before: Instant, after: Instant, isOther: (at: Instant) => boolean): Instant {
  let [low, high] = [before, after]
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2)
    if (isOther(middle)) high = middle
    else low = middle
  }
  return high
}
