import { expect } from 'chai'
import * as fc from 'fast-check'
import type { GrantEnd, GrantSpec } from '../../../src/core/grant/grant.ts'
import type { GrantInputs, GrantObservation } from '../../../src/core/grant/plan.ts'
import { planGrant } from '../../../src/core/grant/plan-grant.ts'
import type { Identity } from '../../../src/core/identity.ts'
import type { Instant } from '../../../src/core/time.ts'
import { day, hour, now, policyOf, terms } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { deployer, deployerName, requestOf, noApprovals } from './request-of.ts'

const seed = 20_361
const runs = 5_000

/** Instants close enough to `now` and to each other that every order of them turns up. */
const instants: fc.Arbitrary<Instant> = fc.integer({ min: -4, max: 4 }).map((step) => now + step * (hour / 2))
const digest = policyOf().digest

/** The usual five times out of six, so that what depends on many things at once happens. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
}

const records = fc.record({
  issuedAt: instants,
  notAfter: instants,
  policyDigest: mostly(digest, 'sha256:other'),
  subjectUid: mostly<string | null>('uid-1', 'uid-2', null),
  rules: fc.constant([]),
  approvals: fc.constant(0),
  untilUid: fc.constant(null),
})

const observations: fc.Arbitrary<GrantObservation> = fc.record({
  state: fc.constantFrom('Pending', 'Pending', 'Pending', 'Active', 'Active', 'Expired', 'Revoked', 'Denied'),
  createdAt: instants,
  deleting: mostly(false, true),
  recorded: fc.option(records, { freq: 3 }),
  revocationVerified: fc.boolean(),
  ending: fc.constant(null),
  endedAt: fc.constant(null),
  unreviewed: fc.constant(false),
  tracked: fc.boolean(),
})

const ends: fc.Arbitrary<GrantEnd> = fc.oneof(
  fc.constant({ kind: 'Default' } as const),
  fc.constantFrom(1, hour, day).map((duration) => ({ kind: 'After', duration }) as const),
  instants.map((notAfter) => ({ kind: 'At', notAfter }) as const),
)

const specs = fc.record({
  end: ends,
  notBefore: fc.option(instants),
  permissions: mostly(['rollout'], ['read-logs'], ['admin']),
  revoke: mostly<GrantSpec['revoke']>(null, { reason: 'leaked' }),
  policy: mostly({ name: 'payments-deploy', version: null }, { name: 'ghost', version: null }),
  subject: mostly<Identity>(deployer, { kind: 'User', name: 'ci:acme/payments' }),
})

const inputs: fc.Arbitrary<GrantInputs> = fc
  .record({
    spec: specs,
    broken: mostly(false, true),
    maxDuration: mostly(day, hour, 1),
    expiresAt: fc.oneof({ weight: 1, arbitrary: instants }, { weight: 5, arbitrary: fc.constant(now + day) }),
    accepted: mostly<GrantInputs['accepted']>({ digest, roles: new Map() }, null),
    behind: mostly(0, 1, hour / 2, day),
  })
  .map(({ spec, broken, maxDuration, expiresAt, accepted, behind }) => {
    const requesters = [...terms.requesters, { kind: 'User', name: deployerName } as const]
    const policy = policyOf({
      change: { ...policyOf().change, expiresAt },
      grants: { ...terms, maxDuration, requesters },
    })
    const problems = [{ path: 'spec', message: 'is required', remedy: '' }]
    return {
      grant: broken ? { ok: false, problems } : { ok: true, request: requestOf(spec) },
      world: worldOf({ policies: [policy] }),
      accepted,
      issueFrom: now - behind,
      approvals: noApprovals,
      until: { kind: 'None' },
    }
  })

/** Checks all generated cases, and that each of the plans that matter for the sentence turned up often. */
function holds(often: readonly string[], check: (observed: GrantObservation, given: GrantInputs) => string): void {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(observations, inputs, (observed, given) => {
      const kind = check(observed, given)
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }),
    { seed, numRuns: runs },
  )
  for (const kind of often) expect(seen.get(kind) ?? 0, `cases of ${kind}`).to.be.greaterThan(50)
}

describe('planGrant, whatever the state', () => {
  it('never lets a grant last longer than what is on record', () => {
    holds(['Issue', 'Keep'], (observed, given) => {
      const plan = planGrant(observed, () => given, now)
      const { recorded } = observed
      if (recorded !== null && plan.kind === 'Issue') expect(plan.record.notAfter).to.be.at.most(recorded.notAfter)
      if (plan.kind === 'Keep') expect(plan.lookAgainAt).to.equal(recorded?.notAfter)
      return plan.kind
    })
  })

  it('ends or proves once the recorded end has come, and reads nothing for it; what rests has ended', () => {
    holds(['End', 'Prove', 'Rest'], (observed, given) => {
      if (observed.recorded === null || observed.recorded.notAfter > now) return 'still open'
      let wasRead = false
      const plan = planGrant(observed, () => ((wasRead = true), given), now)
      expect(plan.kind).to.be.oneOf(['End', 'Prove', 'Rest'])
      expect(wasRead && plan.kind !== 'Rest').to.equal(false)
      return plan.kind
    })
  })

  it('never revives what has ended', () => {
    holds(['Prove', 'Rest'], (observed, given) => {
      if (observed.state === 'Pending' || observed.state === 'Active') return 'still open'
      const plan = planGrant(observed, () => given, now)
      expect(plan.kind).to.be.oneOf(['Prove', 'Rest'])
      return plan.kind
    })
  })

  it('issues only inside the window by every clock, for no longer than the policy allows, and only what is Pending', () => {
    holds(['Issue'], (observed, given) => {
      const plan = planGrant(observed, () => given, now)
      if (plan.kind !== 'Issue' || !given.grant.ok) return plan.kind
      const { spec } = given.grant.request
      const { maxDuration = 0 } = given.world.policy(spec.policy.name)?.grants ?? {}
      expect(observed.state).to.equal('Pending')
      expect(spec.notBefore ?? -Infinity).to.be.at.most(given.issueFrom)
      expect(plan.record.notAfter).to.be.greaterThan(now)
      expect(plan.record.notAfter - given.issueFrom).to.be.at.most(maxDuration)
      if (spec.end.kind === 'At') expect(plan.record.notAfter).to.be.at.most(spec.end.notAfter)
      return plan.kind
    })
  })

  it('looks again no later than the recorded end', () => {
    holds(['Wait', 'Keep'], (observed, given) => {
      const plan = planGrant(observed, () => given, now)
      if (observed.recorded === null) return plan.kind === 'Wait' ? 'Wait without record' : plan.kind
      const at = plan.kind === 'Wait' ? plan.at : plan.kind === 'Keep' ? plan.lookAgainAt : now
      expect(at).to.be.a('number').and.to.be.at.most(Math.max(now, observed.recorded.notAfter))
      return plan.kind
    })
  })

  it('never waits for an instant that is past by every clock', () => {
    holds(['Wait'], (observed, given) => {
      const plan = planGrant(observed, () => given, now)
      if (plan.kind === 'Wait' && plan.at !== null) expect(plan.at).to.be.greaterThan(given.issueFrom)
      return plan.kind
    })
  })
})
