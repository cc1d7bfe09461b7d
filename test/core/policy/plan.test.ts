import { expect } from 'chai'
import { planPolicy, type PolicyPlan, type RecordedVersion } from '../../../src/core/policy/plan.ts'
import type { Policy } from '../../../src/core/policy/policy.ts'
import { day, now, policyOf } from './policy-of.ts'

function recorded(version: string, fields: Partial<RecordedVersion> = {}): RecordedVersion {
  const digest = `sha256:digest of ${version}`
  return { version, digest, supersededAt: null, revokedAt: null, roles: new Map(), ...fields }
}

function plan(policy: Policy, ...versions: readonly RecordedVersion[]): PolicyPlan {
  return planPolicy({ ok: true, value: policy }, versions, now)
}

const policy = policyOf()
const untouched = {
  kind: 'Accept',
  policy,
  record: true,
  supersede: [],
  setsWithoutRole: ['rollout', 'one-secret'],
  expired: false,
  lookAgainAt: policy.change.expiresAt,
}

describe('planPolicy', () => {
  it('records the first version, and gives each set of rules a role', () => {
    expect(plan(policy)).to.deep.equal(untouched)
  })

  it('supersedes every older version that is in force, and no other', () => {
    const versions = [
      recorded('1.1.0', { revokedAt: now - day }),
      recorded('1.2.0', { supersededAt: now - day }),
      recorded('1.3.0-rc.1'),
      recorded('1.3.0'),
    ]
    expect(plan(policy, ...versions)).to.deep.equal({ ...untouched, supersede: ['1.3.0-rc.1', '1.3.0'] })
  })

  it('has nothing to record for a version that is on record', () => {
    const own = recorded('1.4.0', { roles: new Map([['rollout', 'lapse-set-0']]) })
    expect(plan(policy, own)).to.deep.equal({ ...untouched, record: false, setsWithoutRole: ['one-secret'] })
  })

  it('asks for no role for a set that names a ClusterRole', () => {
    const permissions = policy.permissions.filter((set) => set.kind === 'ClusterRole')
    expect(plan(policyOf({ permissions })))
      .to.include({ kind: 'Accept' })
      .and.have.deep.property('setsWithoutRole', [])
  })

  it('says that a policy has expired from the very instant on, and does not look again', () => {
    const expired = policyOf({ change: { ...policy.change, expiresAt: now } })
    expect(plan(expired)).to.include({ kind: 'Accept', expired: true, lookAgainAt: null })
    const lasting = policyOf({ change: { ...policy.change, expiresAt: now + 1 } })
    expect(plan(lasting)).to.include({ kind: 'Accept', expired: false, lookAgainAt: now + 1 })
  })

  const rejections: readonly (readonly [
    sentence: string,
    recorded: RecordedVersion,
    reason: string,
    message: string,
  ])[] = [
    [
      'a version that is older than one on record',
      recorded('1.10.0'),
      'VersionNotRising',
      'version 1.10.0 is on record and newer than 1.4.0; raise spec.version above it',
    ],
    [
      'a version that is older than a withdrawn one',
      recorded('1.10.0', { revokedAt: now }),
      'VersionNotRising',
      'version 1.10.0 is on record and newer than 1.4.0; raise spec.version above it',
    ],
    [
      'a version that was withdrawn',
      recorded('1.4.0', { revokedAt: now - day }),
      'Withdrawn',
      'payments-deploy@1.4.0 was withdrawn at 2027-01-14T12:00:00.000Z; raise spec.version',
    ],
    [
      'a version that is on record with other content',
      recorded('1.4.0', { digest: 'sha256:other' }),
      'VersionReused',
      'payments-deploy@1.4.0 is on record with other content; raise spec.version',
    ],
  ]
  for (const [sentence, version, reason, message] of rejections) {
    it(`rejects ${sentence}`, () => expect(plan(policy, version)).to.deep.equal({ kind: 'Reject', reason, message }))
  }

  it('rejects permissions that outlive their grant, though admission did not see them', () => {
    const rules = [{ verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] }]
    const sharing = policyOf({ permissions: [{ kind: 'Rules', name: 'share', rules }] })
    expect(plan(sharing)).to.deep.equal({
      kind: 'Reject',
      reason: 'HandsOnAccess',
      message:
        'spec.permissions[0].rules[0] allows bind roles.rbac.authorization.k8s.io, with which access can be kept or handed on beyond the end of a grant',
    })
  })

  it('rejects a policy that cannot be parsed, with every problem', () => {
    const problems = [
      { path: 'spec.version', message: 'is required', remedy: '' },
      { path: 'spec.owner', message: 'is required', remedy: '' },
    ]
    expect(planPolicy({ ok: false, problems }, [recorded('1.4.0')], now)).to.deep.equal({
      kind: 'Reject',
      reason: 'Invalid',
      message: 'spec.version: is required; spec.owner: is required',
    })
  })

  it('withdraws every version of a policy that is gone, superseded or not, once', () => {
    const versions = [
      recorded('1.2.0', { revokedAt: now - day }),
      recorded('1.3.0', { supersededAt: now - day }),
      recorded('1.4.0'),
    ]
    expect(planPolicy(null, versions, now)).to.deep.equal({ kind: 'Withdraw', versions: ['1.3.0', '1.4.0'] })
  })
})
