import { lostGround } from '../grant/ground.ts'
import { usernameOf, type Identity } from '../identity.ts'
import type { Policy } from '../policy/policy.ts'
import type { Instant } from '../time.ts'
import type { LiveGrant, World } from '../world.ts'
import { podSecurityChecks } from './pod-security.ts'

/** The grant by which a check passes, and until when. */
export interface Waiver {
  readonly namespace: string
  readonly name: string
  readonly notAfter: Instant
}

/** By which grant a check passes; null: by none. */
export type FindWaiver = (check: string) => Waiver | null

const waivesNothing: FindWaiver = () => null

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

function isInForce({ state, notAfter }: LiveGrant, now: Instant): boolean {
  return state === 'Active' && notAfter !== null && now < notAfter
}

function stands(grant: LiveGrant, world: World): boolean {
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
