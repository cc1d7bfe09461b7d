import { ConditionBudget, policyBudget } from '../cel/budget.ts'
import type { GrantTerms, Policy } from '../policy/policy.ts'
import type { Instant, Millis } from '../time.ts'
import type { World } from '../world.ts'
import { reviewGrantConditions, type AskedGrant } from './conditions.ts'

/** Hours, days and what zones shift them by begin with a whole minute. */
const step: Millis = 60_000
/** So many steps are looked ahead; what lies further is looked at when they have passed. */
const horizon = 120
/** Units that a look ahead may cost; what it does not come to is looked at when that has passed. */
const lookAheadBudget = policyBudget / 4

/** From then on they may say something else; until then they say what they said at `from`. */
interface Turn {
  readonly from: Instant
  readonly at: Instant
}

/** Of conditions that look at nothing but the time: for every grant of the policy the same. */
const shared = new WeakMap<GrantTerms, Turn>()

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
  const conditions = terms.conditions.filter(({ condition }) => condition.uses.has('now'))
  if (conditions.length === 0) return null
  const known = shared.get(terms)
  if (known !== undefined && now >= known.from && now < known.at) return before(known.at, end)
  const turn = lookAhead(request, policy, { ...terms, conditions }, world, now)
  const isShared = conditions.every(({ condition }) => [...condition.uses].every((name) => name === 'now'))
  if (isShared) shared.set(terms, turn)
  return before(turn.at, end)
}

function before(at: Instant, end: Instant): Instant | null {
  return at < end ? at : null
}

function lookAhead(request: AskedGrant, policy: Policy, terms: GrantTerms, world: World, now: Instant): Turn {
  let spent = 0
  const sayAt = (at: Instant): string => {
    const budget = new ConditionBudget()
    const verdict = reviewGrantConditions(request, policy, terms, world, at, 'under this version', budget)
    spent += policyBudget - budget.leftFor(policy.name)
    return JSON.stringify(verdict)
  }
  const today = sayAt(now)
  let at = now
  for (let steps = 0; steps < horizon; steps++) {
    if (steps > 0 && spent >= lookAheadBudget) break
    const next = (Math.floor(at / step) + 1) * step
    if (sayAt(next) !== today) return { from: now, at: firstOther(at, next, (each) => sayAt(each) !== today) }
    at = next
  }
  return { from: now, at }
}

/** The first instant after `earlier`, at most `after`, that is another; `after` is. */
function firstOther(earlier: Instant, after: Instant, isOther: (at: Instant) => boolean): Instant {
  let [low, high] = [earlier, after]
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2)
    if (isOther(middle)) high = middle
    else low = middle
  }
  return high
}
