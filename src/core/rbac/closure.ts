import { describeIdentity, type Identity } from '../identity.ts'
import { effectiveRules, type AuthorizeOptions } from './authorize.ts'
import { turningCapabilities, turnsOf } from './become.ts'
import type { CapabilityId } from './capability.ts'
import { generationMemo, numberOfIgnored } from './generation-memo.ts'
import { memoHeldCapabilities, type HeldCapability } from './held-capabilities.ts'
import type { RbacView } from './objects.ts'
import type { Actor, Turn } from './standpoint.ts'
import { rbacUserOf, subjectKeysOf } from './subject.ts'

/** What somebody does to become somebody else. */
export interface Step {
  readonly from: Identity
  readonly by: HeldCapability
}

/** An identity that can be become, and what that brings. */
export interface Escalation {
  readonly to: Identity
  /** From the first identity to this one; never empty. */
  readonly path: readonly Step[]
  /** Of the wanted capabilities those that it is the first to bring; never empty. */
  readonly held: readonly HeldCapability[]
}

export interface Closure {
  /** Nearest first. */
  readonly escalations: readonly Escalation[]
  /** Whether all that can be become was looked at; false: there were more than `mostActors`, or they hold too much. */
  readonly isComplete: boolean
}

/** Identities looked at for one. Who can become more can become anybody. */
export const mostActors = 128
/** Steps from the first identity. */
const mostSteps = 4
/** Rules and names of the identities looked at: whoever may write roles decides how many there are, and all reviews wait. */
const mostRules = 100_000

const remembered = generationMemo<Closure>()

/**
 * Who the identity can become, as far as that brings wanted capabilities that it does not hold itself. Each is told once, by
 * the shortest way. A wanted capability is no step of the way: it is found where it is held.
 */
export function closureOf(
  identity: Identity,
  wanted: readonly CapabilityId[],
  view: RbacView,
  options: AuthorizeOptions = {},
): Closure {
  const question = JSON.stringify([identity, wanted, numberOfIgnored(options.ignoreBindings)])
  return remembered(view, question, () => search(identity, wanted, view, options))
}

interface Stop extends Actor {
  readonly path: readonly Step[]
}

function search(
  identity: Identity,
  wanted: readonly CapabilityId[],
  view: RbacView,
  options: AuthorizeOptions,
): Closure {
  // to read Secrets is a step only for who creates them, and so it is told nowhere else
  const turning = turningCapabilities.filter((id) => id === 'secrets-read' || !wanted.includes(id))
  const heldBy = (actor: Actor) =>
    memoHeldCapabilities(rbacUserOf(actor.identity), wanted, actor.widened ?? view, options).filter(isHarm)
  const known = [...heldBy({ identity, widened: null })]
  const escalations: Escalation[] = []
  const stops: Stop[] = [{ identity, widened: null, path: [] }]
  const seen = new Set([describeIdentity(identity)])
  let rules = 0
  for (let next = 0; next < stops.length; next++) {
    if (next > mostActors) return { escalations, isComplete: false }
    const stop = stops[next] as Stop
    rules += stop.path.length === 0 ? 0 : weightOf(stop, view, options)
    if (rules > mostRules) return { escalations, isComplete: false }
    const held = stop.path.length === 0 ? [] : heldBy(stop).filter((one) => !isKnown(one, known))
    if (held.length > 0) {
      escalations.push({ to: stop.identity, path: stop.path, held })
      known.push(...held.map((one) => ({ ...one, namespace: '' })))
    }
    if (wanted.every((id) => known.some((one) => one.capability === id && one.namespace === ''))) break
    if (stop.path.length < mostSteps && stops.length <= mostActors)
      addStops(stops, stop, turnsOf(stop, turning, view, options), seen)
  }
  return { escalations, isComplete: true }
}

function weightOf({ identity, widened }: Actor, view: RbacView, options: AuthorizeOptions): number {
  const user = rbacUserOf(identity)
  const own = widened ?? view
  const namespaces = new Set(subjectKeysOf(user).flatMap((key) => own.namespacesNaming(key)))
  return ['', ...namespaces]
    .flatMap((namespace) => effectiveRules(user, namespace, own, options))
    .reduce((sum, { rule }) => sum + 1 + (rule.resourceNames ?? []).length, 0)
}

function isKnown({ capability, namespace }: HeldCapability, known: readonly HeldCapability[]): boolean {
  return known.some((one) => one.capability === capability && (one.namespace === '' || one.namespace === namespace))
}

function isHarm({ isHarmless }: HeldCapability): boolean {
  return !isHarmless
}

/**
 * Each identity once, and once more with what it hands itself: with that it would hand itself no more. Not more of them than
 * it takes to tell that they are too many.
 */
function addStops(stops: Stop[], from: Stop, turns: readonly Turn[], seen: Set<string>): void {
  for (const { by, to } of turns) {
    for (const actor of to) {
      if (stops.length > mostActors + 1) return
      const key = `${describeIdentity(actor.identity)}${actor.widened === null ? '' : ` in ${by.namespace}, widened`}`
      if (seen.has(key)) continue
      seen.add(key)
      stops.push({ ...actor, path: [...from.path, { from: from.identity, by }] })
    }
  }
}
