import { expect } from 'chai'

import type { NHIGrantStatus } from '../../../src/api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import type { EventNote } from '../../../src/cluster/ports.ts'
import { newsOfGrant } from '../../../src/controllers/nhi-grant/news.ts'
import type { Verdict } from '../../../src/controllers/nhi-grant/prove.ts'
import {
  activeStatus,
  deniedStatus,
  endedStatus,
  recordedStatus,
  seenStatus,
  waitingStatus,
} from '../../../src/controllers/nhi-grant/status.ts'
import type { GrantRecord } from '../../../src/core/grant/record.ts'

const now = Date.UTC(2026, 0, 1, 12)
const notAfter = now + 600_000

const grantWith = (status?: NHIGrantStatus): NHIGrant => ({
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'NHIGrant',
  metadata: { namespace: 'payments', name: 'g', uid: 'u-1', resourceVersion: '7', generation: 1 },
  spec: {
    policy: { name: 'payments' },
    subject: { kind: 'User', name: 'ci' },
    permissions: ['rollout'],
    reason: 'a test',
  },
  ...(status === undefined ? {} : { status }),
})

const record: GrantRecord = {
  policy: { name: 'payments', version: '1.4.0', digest: 'd' },
  subject: { name: 'ci', uid: null },
  rules: [],
  waive: [],
  decision: { outcome: 'Allow', reasons: [] },
  approvals: null,
  untilUid: null,
  reviewBy: null,
  onRevoke: null,
  objects: [],
  issuedAt: now,
  notAfter,
}

const fresh = grantWith()
const waiting = grantWith(
  waitingStatus(fresh, { kind: 'Wait', at: null, reason: 'Waiting', message: 'no policy', approvals: null }, now),
)
const recorded = grantWith(recordedStatus(fresh, record, now))
const active = grantWith(activeStatus(recorded, new Map(), null, now))

const removal = { bindingsRemovedAt: notAfter, secretRemovedAt: null, forbidden: [] }

/** A grant that ended at `notAfter` and of which the API server said that, so long after it. */
function ended(before: NHIGrant, verdict: Verdict, after: number, state: 'Expired' | 'Revoked' = 'Expired'): NHIGrant {
  const end = { state, at: notAfter, message: state === 'Expired' ? 'as issued' : 'revoked: leaked' }
  const at = notAfter + after
  return grantWith(endedStatus(before, end, { verdict, goneAt: at, askedAt: at }, removal))
}

const held: Verdict = { kind: 'HeldByFinalizer', bindings: ['RoleBinding payments/lapse-1 (example.com/hold)'] }
const elsewhere: Verdict = { kind: 'HeldOtherwise', sources: ['RoleBinding payments/legacy'] }
const denied: Verdict = { kind: 'AccessDenied' }
const unsettled: Verdict = { kind: 'Unsettled' }

type Told = Omit<EventNote, 'regarding'>

const expiredAfter = (overstay: string): Told => ({
  type: 'Normal',
  reason: 'Expired',
  action: 'Remove',
  note: `as issued; its access outlived that by ${overstay} at most`,
})

describe('the news of a grant', () => {
  const cases: readonly (readonly [sentence: string, before: NHIGrant, after: NHIGrant, news: readonly Told[]])[] = [
    ['that begins to wait: none', fresh, waiting, []],
    ['that is about to be issued: none', waiting, recorded, []],
    [
      'that is issued: until when, and by which policy version',
      recorded,
      active,
      [
        {
          type: 'Normal',
          reason: 'Issued',
          action: 'Issue',
          note: 'until 2026-01-01T12:10:00.000Z, under policy payments@1.4.0',
        },
      ],
    ],
    [
      'that is denied: why, as a warning',
      waiting,
      grantWith(deniedStatus(waiting, 'Denied', '[duration-too-long] 2h is longer', now)),
      [{ type: 'Warning', reason: 'Denied', action: 'Issue', note: '[duration-too-long] 2h is longer' }],
    ],
    [
      "that is denied because one of its names is somebody else's: under the reason of its condition",
      recorded,
      grantWith(
        deniedStatus(recorded, 'ObjectNotOurs', "RoleBinding lapse-1 exists already and is not this grant's", now),
      ),
      [
        {
          type: 'Warning',
          reason: 'ObjectNotOurs',
          action: 'Issue',
          note: "RoleBinding lapse-1 exists already and is not this grant's",
        },
      ],
    ],
    ['that ended with its proof: how late', active, ended(active, denied, 38), [expiredAfter('38ms')]],
    [
      'that was revoked: why, and how late',
      active,
      ended(active, denied, 38, 'Revoked'),
      [
        {
          type: 'Normal',
          reason: 'Revoked',
          action: 'Remove',
          note: 'revoked: leaked; its access outlived that by 38ms at most',
        },
      ],
    ],
    [
      'that ended without its proof: the end, and a warning that it is not proved',
      active,
      ended(active, unsettled, 38),
      [
        { type: 'Normal', reason: 'Expired', action: 'Remove', note: 'as issued' },
        {
          type: 'Warning',
          reason: 'Unsettled',
          action: 'Verify',
          note: "the grant's own bindings are gone; the API server is asked again, since it still allows what they gave",
        },
      ],
    ],
    [
      'whose removal a finalizer holds up: the end, and a warning that names the binding',
      active,
      ended(active, held, 38),
      [
        { type: 'Normal', reason: 'Expired', action: 'Remove', note: 'as issued' },
        {
          type: 'Warning',
          reason: 'HeldByFinalizer',
          action: 'Verify',
          note: "the access lasts until the finalizers are gone that hold the grant's own bindings: RoleBinding payments/lapse-1 (example.com/hold)",
        },
      ],
    ],
    [
      'whose access another binding still gives: the end, and a warning that names that',
      active,
      ended(active, elsewhere, 38),
      [
        expiredAfter('38ms'),
        {
          type: 'Warning',
          reason: 'HeldOtherwise',
          action: 'Verify',
          note: "the grant's own bindings are gone, but some of the access is given by RoleBinding payments/legacy",
        },
      ],
    ],
    [
      'whose proof comes after its end: that, and how late',
      ended(active, unsettled, 38),
      ended(ended(active, unsettled, 38), denied, 1_100),
      [
        {
          type: 'Normal',
          reason: 'AccessDenied',
          action: 'Verify',
          note: 'the API server denies what was granted, 1100ms after the end',
        },
      ],
    ],
    [
      'that turns out to be given by another binding after its end: a warning',
      ended(active, unsettled, 38),
      ended(ended(active, unsettled, 38), elsewhere, 1_100),
      [
        {
          type: 'Warning',
          reason: 'HeldOtherwise',
          action: 'Verify',
          note: "the grant's own bindings are gone, but some of the access is given by RoleBinding payments/legacy",
        },
      ],
    ],
    [
      'that is held up by another binding now: a warning that names that',
      ended(active, held, 38),
      ended(ended(active, held, 38), { ...held, bindings: ['RoleBinding payments/lapse-2 (example.com/hold)'] }, 5_000),
      [
        {
          type: 'Warning',
          reason: 'HeldByFinalizer',
          action: 'Verify',
          note: "the access lasts until the finalizers are gone that hold the grant's own bindings: RoleBinding payments/lapse-2 (example.com/hold)",
        },
      ],
    ],
    ['that is held up still: none', ended(active, held, 38), ended(ended(active, held, 38), held, 5_000), []],
    [
      'that is at rest and was looked at again: none',
      ended(active, denied, 38),
      grantWith(seenStatus(ended(active, denied, 38))),
      [],
    ],
  ]
  for (const [sentence, before, after, news] of cases)
    it(sentence, () => {
      const { metadata } = after
      const regarding = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', metadata }
      expect(newsOfGrant(before, after)).to.deep.equal(news.map((told) => ({ regarding, ...told })))
    })
})
