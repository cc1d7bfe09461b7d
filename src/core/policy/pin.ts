import { highFinding, type Finding } from '../finding.ts'
import { formatDuration, formatInstant, type Instant } from '../time.ts'
import type { World } from '../world.ts'
import { describePolicy, type Policy } from './policy.ts'

/** The annotation on a pod template that names the policy version it was written for. */
export const pinAnnotation = 'lapse.dev/policy'

/** Ids of what can be wrong with a pin. */
export const pinChecks: ReadonlySet<string> = new Set(['pin-missing', 'pin-malformed', 'pin-stale', 'pin-foreign'])

export interface Pin {
  readonly policy: string
  readonly version: string
}

/** Reads `NAME@VERSION`, several separated by commas; null when the text has another form. */
export function parsePins(text: string): readonly Pin[] | null {
  if (last.text !== text) last = { text, pins: readPins(text) }
  return last.pins
}

/** One workload is judged by many policies, and its annotation is read once. */
let last: { readonly text: string; readonly pins: readonly Pin[] | null } = { text: '', pins: null }

function readPins(text: string): readonly Pin[] | null {
  const pins: Pin[] = []
  for (const part of text.split(',')) {
    const [policy, version, ...rest] = part.trim().split('@')
    if (!policy || !version || rest.length > 0) return null
    pins.push({ policy, version })
  }
  return pins
}

/**
 * What is wrong with the pin of a pod template under one governing policy; null: nothing. Of several pins of that policy
 * each must be good. A superseded version is good until its grace is over, counted from the supersession on record;
 * without that record it is not good.
 */
export function reviewPin(
  policy: Policy,
  annotation: string | undefined,
  path: string,
  world: World,
  now: Instant,
): Finding | null {
  const remedy = (): string =>
    `set the annotation ${pinAnnotation}: ${describePolicy(policy)} after checking the workload against that version`
  const isRequired = policy.workloads?.pin?.required === true
  if (annotation === undefined)
    return isRequired
      ? highFinding('pin-missing', path, `the pod template has no annotation ${pinAnnotation}`, remedy())
      : null
  const pins = parsePins(annotation)
  if (pins === null)
    return highFinding('pin-malformed', path, `${JSON.stringify(annotation)} is not of the form NAME@VERSION`, remedy())
  const own = pins.filter((pin) => pin.policy === policy.name)
  if (own.length === 0)
    return isRequired
      ? highFinding('pin-missing', path, `no pin names policy ${policy.name}, which governs this workload`, remedy())
      : null
  const why = own.map((pin) => staleness(policy, pin, world, now)).find((reason) => reason !== null)
  return why === undefined ? null : highFinding('pin-stale', path, why, remedy())
}

/** Why a pin of this policy is not good; null: it is. */
function staleness(policy: Policy, pin: Pin, world: World, now: Instant): string | null {
  if (pin.version === policy.version) return null
  const revision = world.revisions(policy.name).find((known) => known.version === pin.version)
  const named = `the pin names ${describePolicy({ name: pin.policy, version: pin.version })}`
  const active = `active is ${policy.version}`
  if (revision === undefined) return `${named}, which is not on record; ${active}`
  if (revision.revokedAt !== null) return `${named}, withdrawn at ${formatInstant(revision.revokedAt)}; ${active}`
  if (revision.supersededAt === null) return `${named}, superseded just now; ${active}`
  const grace = policy.workloads?.pin?.grace ?? 0
  if (now < revision.supersededAt + grace) return null
  const allowed = grace === 0 ? 'there is no grace' : `the grace of ${formatDuration(grace)} is over`
  return `${named}, superseded at ${formatInstant(revision.supersededAt)} and ${allowed}; ${active}`
}

/** Pins that name a policy which does not govern the workload. */
export function foreignPins(
  annotation: string | undefined,
  governing: readonly Policy[],
  path: string,
): readonly Finding[] {
  const names = new Set(governing.map((policy) => policy.name))
  return (annotation === undefined ? [] : (parsePins(annotation) ?? []))
    .filter((pin) => !names.has(pin.policy))
    .map((pin) =>
      highFinding(
        'pin-foreign',
        path,
        `the pin names policy ${pin.policy}, which does not govern this workload`,
        `governing: ${[...names].join(', ')}; remove the other pin`,
      ),
    )
}
