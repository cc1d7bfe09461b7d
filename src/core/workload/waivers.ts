import type { CheckId } from '../check-catalogue.ts'
import { lostGround } from '../grant/ground.ts'
import { usernameOf, type Identity } from '../identity.ts'
import type { Policy } from '../policy/policy.ts'
import { capabilityIds } from '../rbac/capability.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { LiveGrant, World } from '../world.ts'
import { podSecurityChecks } from './pod-security.ts'
import { tokenCheckIds } from './token.ts'

/**
 * What a grant may waive, as far as the policy that it is under lists it: what judges a workload by itself, and neither what
 * guards nor conditions, which one id would waive all at once. Kept apart from the catalogue, whose texts no decision needs.
 */
export const waivableChecks: readonly CheckId[] = [
  ...podSecurityChecks.map(({ id }) => id),
  ...tokenCheckIds,
  'long-lived-token',
  ...capabilityIds,
  'escalation',
]

/** The grant by which a check passes, and until when. */
export interface Waiver {
  readonly namespace: string
  readonly name: string
  readonly notAfter: Instant
}

export function describeWaiver({ namespace, name, notAfter }: Waiver): string {
  return `waived by NHIGrant ${namespace}/${name} until ${formatInstant(notAfter)}`
}

/** By which grant a check passes; null: by none. */
export type FindWaiver = (check: string) => Waiver | null

export const waivesNothing: FindWaiver = () => null

/**
 * What grants under one policy waive for what runs as `identity`, now. A waiver stands on its grant's own record, for as long
 * as everything does that the grant was issued on, and ends at its instant whether or not anybody has ended the grant; what
 * the policy does not let be waived is not waived.
 */
export function waiversOf(
  identity: Extract<Identity, { kind: 'ServiceAccount' }>,
  policy: Policy,
  world: World,
  now: Instant,
): FindWaiver {
  const waivable = policy.grants?.waivable ?? []
  if (waivable.length === 0) return waivesNothing
  let grants: readonly LiveGrant[] | null = null
  return (check) => {
    if (!waivable.some((id) => id === check)) return null
    grants ??= standingGrants(identity, policy, world, now)
    return longest(grants.filter(({ waive }) => waive.includes(check)))
  }
}

function standingGrants(
  identity: Extract<Identity, { kind: 'ServiceAccount' }>,
  policy: Policy,
  world: World,
  now: Instant,
): readonly LiveGrant[] {
  const mayWaive = (grant: LiveGrant): boolean =>
    grant.waive.length > 0 && grant.policy === policy.name && grant.namespace === identity.namespace
  return world
    .liveGrantsOf(usernameOf(identity) ?? '')
    .filter((grant) => mayWaive(grant) && isInForce(grant, now) && stands(grant, world))
}

/** Whether the grant lasts at that instant, by its own record, whether or not anybody has ended it. */
export function isInForce({ state, ending, notAfter }: LiveGrant, now: Instant): boolean {
  return state === 'Active' && !ending && notAfter !== null && now < notAfter
}

/** Whether everything is as it was that the grant was issued on. */
export function stands(grant: LiveGrant, world: World): boolean {
  const { policyDigest } = grant
  return policyDigest !== null && lostGround({ ...grant, policyDigest }, world) === null
}

function longest(grants: readonly LiveGrant[]): Waiver | null {
  const waivers = grants.map(({ namespace, name, notAfter }) => ({ namespace, name, notAfter: notAfter ?? 0 }))
  return waivers.sort((a, b) => b.notAfter - a.notAfter || (a.name < b.name ? -1 : 1))[0] ?? null
}

/** The baseline check in whose place a restricted one stands. It still holds where that one is waived; null: there is none. */
export function replacedBy(check: string): string | null {
  return replaced.get(check) ?? null
}

const replaced: ReadonlyMap<string, string> = new Map(
  podSecurityChecks.flatMap(({ id, overrides }) => (overrides === undefined ? [] : [[id, overrides] as const])),
)
