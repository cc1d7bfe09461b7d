import { expect } from 'chai'
import type { GrantRequest } from '../../../src/core/grant/decide.ts'
import type { GrantSpec } from '../../../src/core/grant/grant.ts'
import type { GrantInputs, GrantObservation, GrantPlan, RecordedGrant } from '../../../src/core/grant/plan.ts'
import { planGrant } from '../../../src/core/grant/plan-grant.ts'
import type { World } from '../../../src/core/world.ts'
import { day, hour, minute, now, policyOf, terms } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { rbacOf, rule } from '../rbac/rbac-of.ts'
import { deployerName, requestOf, noApprovals } from './request-of.ts'

const digest = policyOf().digest
const issuedAt = now - 10 * minute
const recorded: RecordedGrant = {
  issuedAt,
  notAfter: now + 20 * minute,
  policyDigest: digest,
  subjectUid: 'uid-1',
  rules: [rule('get,list,watch,patch deployments.apps')],
  approvals: 0,
  untilUid: null,
}
const pending: GrantObservation = {
  state: 'Pending',
  createdAt: now - hour,
  deleting: false,
  recorded: null,
  revocationVerified: false,
  ending: null,
  endedAt: null,
  unreviewed: false,
  tracked: false,
}
/** Written before its objects were created; whether they were is not known. */
const halfIssued: GrantObservation = { ...pending, recorded }
const active: GrantObservation = { ...pending, state: 'Active', recorded }

interface InputParts {
  readonly spec?: Partial<GrantSpec>
  readonly request?: Partial<GrantRequest>
  readonly world?: World
  readonly accepted?: GrantInputs['accepted']
}

function inputsOf(parts: InputParts): GrantInputs {
  return {
    grant: { ok: true, request: requestOf(parts.spec, parts.request) },
    world: parts.world ?? worldOf(),
    accepted: parts.accepted === undefined ? { digest, roles: new Map() } : parts.accepted,
    issueFrom: now,
    approvals: noApprovals,
    until: { kind: 'None' },
  }
}

interface Sentence extends InputParts {
  readonly sentence: string
  readonly observed: GrantObservation
  readonly plan: Partial<GrantPlan>
}

function tell(sentences: readonly Sentence[]): void {
  for (const { sentence, observed, plan, ...parts } of sentences) {
    it(sentence, () => expect(planGrant(observed, () => inputsOf(parts), now)).to.deep.include(plan))
  }
}

function revoked(message: string): GrantPlan {
  return { kind: 'End', state: 'Revoked', at: now, message }
}

function notRead(): never {
  throw new Error('inputs were read in front of an end')
}

describe('planGrant', () => {
  describe('looks at the end first, and at nothing but the status', () => {
    const expired: GrantPlan = {
      kind: 'End',
      state: 'Expired',
      at: now,
      message: 'ended at 2027-01-15T12:00:00.000Z, as issued',
    }
    const table: readonly (readonly [sentence: string, observed: GrantObservation, plan: GrantPlan])[] = [
      [
        'ends an active grant at the very instant of its end',
        { ...active, recorded: { ...recorded, notAfter: now } },
        expired,
      ],
      [
        'says that it ended when it did, not when that was noticed',
        { ...active, recorded: { ...recorded, notAfter: now - day } },
        { ...expired, at: now - day, message: 'ended at 2027-01-14T12:00:00.000Z, as issued' },
      ],
      [
        'ends a grant that was recorded and never became active',
        { ...halfIssued, recorded: { ...recorded, notAfter: now } },
        expired,
      ],
      [
        'calls a grant expired that is past its end and being deleted',
        { ...active, deleting: true, recorded: { ...recorded, notAfter: now } },
        expired,
      ],
      ['revokes a grant that is being deleted', { ...active, deleting: true }, revoked('the grant is being deleted')],
      [
        'revokes an active grant whose status does not say until when',
        { ...active, recorded: null },
        revoked('its status does not say until when it lasts'),
      ],
      ...(['Expired', 'Revoked', 'Denied'] as const).flatMap(
        (state): readonly (readonly [string, GrantObservation, GrantPlan])[] => [
          [`proves again what is ${state} without proof`, { ...active, state }, { kind: 'Prove' }],
          [
            `rests when it is ${state} and proved, whatever its window says`,
            { ...active, state, revocationVerified: true },
            { kind: 'Rest', lookAgainAt: null },
          ],
        ],
      ),
    ]
    for (const [sentence, observed, plan] of table) {
      it(sentence, () => {
        const inputs = plan.kind === 'Rest' ? () => inputsOf({}) : notRead
        expect(planGrant(observed, inputs, now)).to.deep.equal(plan)
      })
    }
  })

  describe('of a grant that is not issued', () => {
    const clusterRoles = rbacOf()
    tell([
      {
        sentence: 'issues what the policy allows, and records the window from now',
        observed: pending,
        plan: {
          kind: 'Issue',
          record: {
            issuedAt: now,
            notAfter: now + 30 * minute,
            policy: { name: 'payments-deploy', version: '1.4.0', digest },
            subject: { name: deployerName, uid: 'uid-1' },
            rules: [rule('get,list,watch,patch deployments.apps')],
            waive: [],
            decision: { outcome: 'Allow', reasons: [] },
            approvals: null,
            untilUid: null,
            reviewBy: null,
            onRevoke: null,
            objects: [
              { kind: 'Role', name: 'lapse-grant-1', rules: [rule('get,list,watch,patch deployments.apps')] },
              { kind: 'RoleBinding', name: 'lapse-grant-1', roleRef: { kind: 'Role', name: 'lapse-grant-1' } },
            ],
          },
        },
      },
      {
        sentence: 'waits for notBefore',
        observed: pending,
        spec: { notBefore: now + 1 },
        plan: { kind: 'Wait', at: now + 1, reason: 'NotYet', message: 'begins at 2027-01-15T12:00:00.001Z' },
      },
      { sentence: 'issues at notBefore itself', observed: pending, spec: { notBefore: now }, plan: { kind: 'Issue' } },
      {
        sentence: 'denies at once what waiting for notBefore would not mend',
        observed: pending,
        spec: { notBefore: now + hour, permissions: ['admin'] },
        plan: { kind: 'Deny', message: '[permission-unknown] policy payments-deploy@1.4.0 has no permission admin' },
      },
      {
        sentence: 'waits until the policy is accepted',
        observed: pending,
        accepted: null,
        plan: {
          kind: 'Wait',
          at: null,
          reason: 'PolicyNotReady',
          message: 'policy payments-deploy@1.4.0 is not ready',
        },
      },
      {
        sentence: 'waits while another version is the accepted one',
        observed: pending,
        accepted: { digest: 'sha256:digest of 1.3.0', roles: new Map() },
        plan: { kind: 'Wait', at: null, reason: 'PolicyNotReady' },
      },
      {
        sentence: 'looks again when the window that was asked for closes',
        observed: pending,
        spec: { end: { kind: 'At', notAfter: now + minute } },
        accepted: null,
        plan: { kind: 'Wait', at: now + minute, reason: 'PolicyNotReady' },
      },
      {
        sentence: 'revokes what its owner took back before it was issued',
        observed: pending,
        spec: { revoke: { reason: 'not needed' } },
        plan: revoked('revoked: not needed'),
      },
      {
        sentence: 'denies for good, with every reason',
        observed: pending,
        spec: { permissions: ['admin'], end: { kind: 'After', duration: 2 * hour } },
        plan: {
          kind: 'Deny',
          reason: 'Denied',
          message:
            '[duration-too-long] 2h is longer than the 1h that the policy allows; [permission-unknown] policy payments-deploy@1.4.0 has no permission admin',
        },
      },
      {
        sentence: 'denies what its window has left behind',
        observed: pending,
        spec: { end: { kind: 'At', notAfter: now } },
        plan: { kind: 'Deny', message: '[window-passed] the window ended at 2027-01-15T12:00:00.000Z' },
      },
      {
        sentence: 'does not deny a new grant before what it rests on could arrive',
        observed: { ...pending, createdAt: now - 1_999 },
        spec: { permissions: ['admin'] },
        plan: { kind: 'Wait', at: now + 1, reason: 'Settling' },
      },
      {
        sentence: 'denies it two seconds after its creation',
        observed: { ...pending, createdAt: now - 2_000 },
        spec: { permissions: ['admin'] },
        plan: { kind: 'Deny' },
      },
      {
        sentence: 'waits for a policy that is not there, however long',
        observed: pending,
        spec: { policy: { name: 'ghost', version: null } },
        plan: { kind: 'Wait', at: null, reason: 'Waiting', message: '[policy-missing] there is no policy ghost' },
      },
      {
        sentence: 'waits for a policy no longer than the window that was asked for',
        observed: pending,
        spec: { policy: { name: 'ghost', version: null }, end: { kind: 'At', notAfter: now + hour } },
        plan: { kind: 'Wait', at: now + hour, reason: 'Waiting' },
      },
      {
        sentence: 'denies it when that window has passed',
        observed: pending,
        spec: { policy: { name: 'ghost', version: null }, end: { kind: 'At', notAfter: now } },
        plan: { kind: 'Deny', message: '[policy-missing] there is no policy ghost' },
      },
      {
        sentence: 'waits for a subject and a namespace that are not there',
        observed: pending,
        request: { namespace: 'ghost' },
        world: worldOf({ serviceAccounts: {} }),
        plan: {
          kind: 'Wait',
          reason: 'Waiting',
          message:
            '[subject-missing] there is no ServiceAccount ci/deployer; [namespace-missing] there is no namespace ghost',
        },
      },
      {
        sentence: 'does not wait when something else is wrong as well',
        observed: pending,
        spec: { permissions: ['admin'] },
        world: worldOf({ serviceAccounts: {} }),
        plan: { kind: 'Deny' },
      },
      {
        sentence: 'waits for a policy version that is newer than the one known',
        observed: pending,
        spec: { policy: { name: 'payments-deploy', version: '1.5.0' }, permissions: ['new-in-1-5'] },
        plan: { kind: 'Wait', reason: 'Waiting' },
      },
      {
        sentence: 'denies a policy version that is older',
        observed: pending,
        spec: { policy: { name: 'payments-deploy', version: '1.3.0' } },
        plan: { kind: 'Deny', message: '[policy-version] version 1.3.0 is not active; active is 1.4.0' },
      },
      {
        sentence: 'denies a permission whose ClusterRole is not there',
        observed: pending,
        spec: { permissions: ['read-logs'] },
        world: worldOf({ rbac: clusterRoles }),
        plan: {
          kind: 'Deny',
          message: '[permission-unknown] ClusterRole payments-log-reader of permission read-logs does not exist',
        },
      },
    ])
  })

  describe('of a grant that was recorded before a crash', () => {
    tell([
      {
        sentence: 'goes on with the window on record, not a new one',
        observed: halfIssued,
        plan: { kind: 'Issue' },
      },
      {
        sentence: 'revokes it when the decision has become no',
        observed: halfIssued,
        world: worldOf({ policies: [policyOf({ change: { ...policyOf().change, expiresAt: now } })] }),
        plan: revoked(
          '[policy-expired] policy payments-deploy@1.4.0 was due for review at 2027-01-15T12:00:00.000Z and issues nothing since',
        ),
      },
      {
        sentence: 'revokes it at once, also when it is new: its objects may be there',
        observed: { ...halfIssued, createdAt: now },
        world: worldOf({ policies: [policyOf({ grants: { ...terms, requesters: [] } })] }),
        plan: { kind: 'End', state: 'Revoked', at: now },
      },
      {
        sentence: 'waits no longer than its own end when the clock has gone back behind notBefore',
        observed: halfIssued,
        spec: { notBefore: now + hour },
        plan: { kind: 'Wait', at: recorded.notAfter, reason: 'NotYet' },
      },
      {
        sentence: 'waits for the policy to be ready no longer than its own end',
        observed: halfIssued,
        accepted: null,
        plan: { kind: 'Wait', at: recorded.notAfter, reason: 'PolicyNotReady' },
      },
    ])

    it('keeps when it was issued and when it ends', () => {
      const plan = planGrant(halfIssued, () => inputsOf({}), now)
      expect(plan.kind === 'Issue' && [plan.record.issuedAt, plan.record.notAfter]).to.deep.equal([
        issuedAt,
        recorded.notAfter,
      ])
    })

    it('ends earlier when the policy has become shorter', () => {
      const shorter = policyOf({ grants: { ...terms, defaultDuration: minute } })
      const inputs = inputsOf({ spec: { end: { kind: 'Default' } }, world: worldOf({ policies: [shorter] }) })
      const plan = planGrant(halfIssued, () => inputs, now)
      expect(plan.kind === 'Issue' && plan.record.notAfter).to.equal(now + minute)
    })

    it('revokes it when its spec cannot be read', () => {
      const problems = [{ path: 'spec.reason', message: 'is required', remedy: '' }]
      const inputs = (): GrantInputs => ({ ...inputsOf({}), grant: { ok: false, problems } })
      expect(planGrant(halfIssued, inputs, now)).to.deep.equal(revoked('spec.reason: is required'))
      expect(planGrant(pending, inputs, now)).to.deep.equal({
        kind: 'Deny',
        reason: 'Denied',
        message: 'spec.reason: is required',
      })
    })
  })

  describe('of an active grant', () => {
    const successor = policyOf({ version: '1.5.0' })
    tell([
      {
        sentence: 'keeps it, and looks again at its end',
        observed: active,
        plan: { kind: 'Keep', lookAgainAt: recorded.notAfter },
      },
      {
        sentence: 'keeps it when the policy expires: that only stops new ones',
        observed: active,
        world: worldOf({ policies: [policyOf({ change: { ...policyOf().change, expiresAt: now } })] }),
        plan: { kind: 'Keep' },
      },
      {
        sentence: 'keeps it while the policy is being accepted again',
        observed: active,
        accepted: null,
        plan: { kind: 'Keep' },
      },
      {
        sentence: 'revokes it when its owner says so, with the reason',
        observed: active,
        spec: { revoke: { reason: 'leaked' } },
        plan: revoked('revoked: leaked'),
      },
      {
        sentence: 'revokes it when its policy version was superseded',
        observed: active,
        world: worldOf({ policies: [successor] }),
        accepted: { digest: successor.digest, roles: new Map() },
        plan: revoked('its policy version was superseded by payments-deploy@1.5.0'),
      },
      {
        sentence: 'revokes it when its policy was withdrawn',
        observed: active,
        world: worldOf({ policies: [] }),
        plan: revoked('policy payments-deploy was withdrawn'),
      },
      {
        sentence: 'revokes it when its subject was deleted',
        observed: active,
        world: worldOf({ serviceAccounts: {} }),
        plan: revoked('ServiceAccount ci/deployer was deleted'),
      },
      {
        sentence: 'revokes it when its subject was created again under the same name',
        observed: active,
        world: worldOf({ serviceAccounts: { 'ci/deployer': { uid: 'uid-2' } } }),
        plan: revoked('ServiceAccount ci/deployer was deleted and created again'),
      },
      {
        sentence: 'sees that also of a subject that is spelled out as User',
        observed: active,
        spec: { subject: { kind: 'User', name: deployerName } },
        world: worldOf({ serviceAccounts: { 'ci/deployer': { uid: 'uid-2' } } }),
        plan: revoked('ServiceAccount ci/deployer was deleted and created again'),
      },
      {
        sentence: "revokes it when the record does not say which of the name's accounts it was",
        observed: { ...active, recorded: { ...recorded, subjectUid: null } },
        plan: revoked('ServiceAccount ci/deployer was deleted and created again'),
      },
      {
        sentence: 'revokes it when the policy does not govern the subject any more',
        observed: active,
        world: worldOf({ namespaces: { ci: { team: 'search' }, payments: { team: 'payments' } } }),
        plan: revoked('policy payments-deploy@1.4.0 no longer governs ServiceAccount ci/deployer'),
      },
      {
        sentence: 'revokes it when its namespace has left the scope',
        observed: active,
        world: worldOf({ namespaces: { ci: { team: 'payments' }, payments: {} } }),
        plan: revoked("namespace payments is no longer in the policy's scope"),
      },
      {
        sentence: 'revokes it when its namespace is not known any more',
        observed: active,
        world: worldOf({ namespaces: { ci: { team: 'payments' } } }),
        plan: revoked("namespace payments is no longer in the policy's scope"),
      },
    ])

    it('revokes it when its spec cannot be read', () => {
      const problems = [{ path: 'spec.x', message: 'is not a known field', remedy: '' }]
      const inputs = (): GrantInputs => ({ ...inputsOf({}), grant: { ok: false, problems } })
      expect(planGrant(active, inputs, now)).to.deep.equal(revoked('spec.x: is not a known field'))
    })
  })
})
