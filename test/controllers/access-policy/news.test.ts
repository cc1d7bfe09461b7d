import { expect } from 'chai'

import type { AccessPolicyStatus } from '../../../src/api/v1alpha1/access-policy.schema.ts'
import type { AccessPolicy } from '../../../src/api/v1alpha1/objects.ts'
import type { EventNote } from '../../../src/cluster/ports.ts'
import { newsOfPolicy } from '../../../src/controllers/access-policy/news.ts'
import { acceptedStatus, rejectedStatus } from '../../../src/controllers/access-policy/status.ts'
import type { Policy } from '../../../src/core/policy/policy.ts'

const now = Date.UTC(2026, 0, 1)

const policyWith = (status?: AccessPolicyStatus): AccessPolicy => ({
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'AccessPolicy',
  metadata: { name: 'payments', uid: 'u-1', resourceVersion: '7', generation: 1 },
  spec: {} as AccessPolicy['spec'],
  ...(status === undefined ? {} : { status }),
})

const quiet = { expired: false, unpooled: [], activeGrants: 0 }

function accepted(before: AccessPolicy, version: string, facts: Partial<Parameters<typeof acceptedStatus>[2]> = {}) {
  const policy = { name: 'payments', version, digest: `d-${version}`, change: { expiresAt: now } } as unknown as Policy
  return policyWith(acceptedStatus(before, policy, { ...quiet, ...facts }, now))
}

const fresh = policyWith()
const first = accepted(fresh, '1.0.0')
const refused = policyWith(rejectedStatus(first, 'VersionNotRising', 'version 1.0.0 is on record; raise it', now))

type Told = Omit<EventNote, 'regarding'>

describe('the news of a policy', () => {
  const cases: readonly (readonly [sentence: string, before: AccessPolicy, after: AccessPolicy, news: Told | null])[] =
    [
      [
        'that is accepted',
        fresh,
        first,
        { type: 'Normal', reason: 'Accepted', action: 'Accept', note: 'payments@1.0.0 is in force' },
      ],
      [
        'whose next version is accepted',
        first,
        accepted(first, '1.1.0'),
        { type: 'Normal', reason: 'Accepted', action: 'Accept', note: 'payments@1.1.0 is in force' },
      ],
      [
        'that is refused: why, as a warning',
        first,
        refused,
        {
          type: 'Warning',
          reason: 'VersionNotRising',
          action: 'Refuse',
          note: 'version 1.0.0 is on record; raise it',
        },
      ],
      [
        'that is refused for another reason',
        refused,
        policyWith(rejectedStatus(refused, 'RulesNotHeld', 'widen what it holds', now)),
        { type: 'Warning', reason: 'RulesNotHeld', action: 'Refuse', note: 'widen what it holds' },
      ],
      [
        'for which the role pool has no room: a warning, though it is in force',
        fresh,
        accepted(fresh, '1.0.0', { unpooled: ['rollout'] }),
        {
          type: 'Warning',
          reason: 'PoolExhausted',
          action: 'Accept',
          note: 'payments@1.0.0 is in force; the role pool has no room for rollout, whose grants are issued more slowly',
        },
      ],
      [
        'whose review is overdue: a warning',
        first,
        accepted(first, '1.0.0', { expired: true }),
        {
          type: 'Warning',
          reason: 'Expired',
          action: 'Refuse',
          note: 'payments@1.0.0 was due for review at 2026-01-01T00:00:00.000Z and issues nothing since',
        },
      ],
      ['whose number of active grants changes: none', first, accepted(first, '1.0.0', { activeGrants: 3 }), null],
    ]
  for (const [sentence, before, after, news] of cases)
    it(sentence, () => {
      const regarding = { apiVersion: 'lapse.dev/v1alpha1', kind: 'AccessPolicy', metadata: after.metadata }
      expect(newsOfPolicy(before, after)).to.deep.equal(news === null ? [] : [{ regarding, ...news }])
    })
})
