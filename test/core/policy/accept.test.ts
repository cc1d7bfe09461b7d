import { expect } from 'chai'
import { reviewPolicyChange } from '../../../src/core/policy/accept.ts'
import type { Policy } from '../../../src/core/policy/policy.ts'
import type { RevisionFacts } from '../../../src/core/world.ts'
import { day, now, policyOf } from './policy-of.ts'
import { revisionOf, worldOf } from './world-of.ts'

const accepted = policyOf({ version: '1.4.0' })
const expiring = (expiresAt: number): Pick<Policy, 'change'> => ({ change: { ...accepted.change, expiresAt } })
const bindsOthers = { verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'] }
const edited = { digest: 'sha256:digest of other content' }

interface Sentence {
  readonly sentence: string
  readonly before?: Policy | null
  readonly after: Policy
  readonly revisions?: readonly RevisionFacts[]
  /** `check at path: message`, each. */
  readonly says: readonly string[]
}

const table: readonly Sentence[] = [
  { sentence: 'accepts the first version of a policy', before: null, after: accepted, says: [] },
  { sentence: 'accepts a change that raises the version', after: policyOf({ version: '1.5.0' }), says: [] },
  {
    sentence: 'refuses permissions that outlive their grant',
    after: policyOf({ version: '1.5.0', permissions: [{ kind: 'Rules', name: 'share', rules: [bindsOthers] }] }),
    says: [
      'hands-on-access at spec.permissions[0].rules[0]: allows create rolebindings.rbac.authorization.k8s.io, with which access can be kept or handed on beyond the end of a grant',
    ],
  },
  {
    sentence: 'refuses a change that leaves the version',
    after: policyOf(edited),
    says: ['version-not-rising at spec.version: the spec changed but its version went from 1.4.0 to 1.4.0'],
  },
  {
    sentence: 'refuses a change that lowers the version',
    after: policyOf({ version: '1.3.9' }),
    says: ['version-not-rising at spec.version: the spec changed but its version went from 1.4.0 to 1.3.9'],
  },
  {
    sentence: 'refuses a prerelease of the version that is there',
    after: policyOf({ version: '1.4.0-rc.1' }),
    says: ['version-not-rising at spec.version: the spec changed but its version went from 1.4.0 to 1.4.0-rc.1'],
  },
  {
    sentence: 'refuses a re-created policy that is older than what is on record',
    before: null,
    after: policyOf({ version: '1.4.0' }),
    revisions: [revisionOf('1.3.0'), revisionOf('1.5.0')],
    says: [
      'version-not-rising at spec.version: version 1.5.0 of policy payments-deploy was accepted before; payments-deploy@1.4.0 is not newer',
    ],
  },
  {
    sentence: 'refuses a re-created policy that gives a recorded version other content',
    before: null,
    after: policyOf({ version: '1.4.0', ...edited }),
    revisions: [revisionOf('1.4.0')],
    says: [
      'version-not-rising at spec.version: version 1.4.0 of policy payments-deploy was accepted before; payments-deploy@1.4.0 is not newer',
    ],
  },
  {
    sentence: 'refuses a re-created policy in the version in which it was withdrawn',
    before: null,
    after: accepted,
    revisions: [revisionOf('1.4.0', { revokedAt: now - day })],
    says: [
      'version-not-rising at spec.version: version 1.4.0 of policy payments-deploy was withdrawn at 2027-01-14T12:00:00.000Z; payments-deploy@1.4.0 is not newer',
    ],
  },
  {
    sentence: 'accepts a policy again that is on record with this very content and in force',
    before: null,
    after: accepted,
    revisions: [revisionOf('1.3.0', { revokedAt: now - day }), revisionOf('1.4.0')],
    says: [],
  },
  {
    sentence: 'does not mind the record of another policy',
    before: null,
    after: accepted,
    revisions: [revisionOf('9.0.0', { policy: 'search' })],
    says: [],
  },
  {
    sentence: 'refuses a version that has to be reviewed now',
    after: policyOf({ version: '1.5.0', ...expiring(now) }),
    says: ['policy-expired at spec.change.expiresAt: 2027-01-15T12:00:00.000Z is past'],
  },
  {
    sentence: 'accepts a version that has to be reviewed in 366 days',
    after: policyOf({ version: '1.5.0', ...expiring(now + 366 * day) }),
    says: [],
  },
  {
    sentence: 'refuses a version that has to be reviewed later than that',
    after: policyOf({ version: '1.5.0', ...expiring(now + 366 * day + 1) }),
    says: ['review-too-late at spec.change.expiresAt: 2028-01-16T12:00:00.001Z is more than 366 days ahead'],
  },
  {
    sentence: 'names every reason',
    after: policyOf({ ...edited, ...expiring(now - 1) }),
    says: [
      'version-not-rising at spec.version: the spec changed but its version went from 1.4.0 to 1.4.0',
      'policy-expired at spec.change.expiresAt: 2027-01-15T11:59:59.999Z is past',
    ],
  },
]

describe('reviewPolicyChange', () => {
  for (const { sentence, before = accepted, after, revisions = [], says } of table) {
    it(sentence, () => {
      const findings = reviewPolicyChange(before, after, worldOf({ revisions }), now)
      expect(findings.map(({ check, path, message }) => `${check} at ${path}: ${message}`)).to.deep.equal(says)
    })
  }

  it('accepts a write that leaves the spec of an expired policy, whatever is on record', () => {
    const expired = policyOf(expiring(now - day))
    const world = worldOf({ revisions: [revisionOf('2.0.0')] })
    expect(reviewPolicyChange(expired, { ...expired }, world, now)).to.deep.equal([])
  })

  it('says above which version the next one must be: the newest known, not the last in the list', () => {
    const world = worldOf({ revisions: [revisionOf('1.10.0'), revisionOf('1.9.0')] })
    const [finding] = reviewPolicyChange(accepted, policyOf({ version: '1.5.0' }), world, now)
    expect(finding?.remedy).to.equal('raise spec.version above 1.10.0')
  })
})
