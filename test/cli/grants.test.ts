import { expect } from 'chai'
import { awaitsReview, grantRow } from '../../src/cli/grant-row.ts'
import { endIsProved, endIsSettled, outcomeText, waitingText } from '../../src/cli/grant-text.ts'
import { grantsDocument, grantsTable } from '../../src/cli/grants-report.ts'
import { ServerTime } from '../../src/cli/server-time.ts'
import { now, lapse } from './fake-io.ts'
import { storedGrant } from './stored-grant.ts'

const verified = (status: string, message = 'the API server denies what was granted') => ({
  conditions: [{ type: 'RevocationVerified', status, reason: 'x', message, lastTransitionTime: '' }],
})
const revoked = { state: 'Revoked', endedAt: '2026-12-01T12:00:00.000Z', endedReason: 'Ana is on holiday' }

describe('lapse grants', () => {
  it('lists grants with the time that they have left', () => {
    const grants = [
      storedGrant(),
      storedGrant({
        name: 'ended',
        status: { state: 'Expired' },
        spec: { subject: { kind: 'User', name: 'ci:acme' } },
      }),
      storedGrant({ name: 'over', status: { notAfter: '2026-12-01T11:59:59.000Z' } }),
      storedGrant({
        name: 'new',
        status: { state: 'Pending', notAfter: undefined, policy: undefined },
        spec: { reason: `two\nlines \u001B[2J and ${'more '.repeat(20)}` },
      }),
    ].map(grantRow)
    expect(grantsTable(grants, now)).to.equal(
      `NAMESPACE   NAME    SUBJECT           POLICY         STATE     LEFT   REASON
payments    debug   sa/payments/api   deploy@1.4.0   Active    30m    Release 41
payments    ended   user/ci:acme      deploy@1.4.0   Expired   -      Release 41
payments    over    sa/payments/api   deploy@1.4.0   Active    0s     Release 41
payments    new     sa/payments/api   deploy         Pending   -      two lines [2J and more more more more more more more more m…
`,
    )
  })

  it('gives them as a document', () => {
    expect(grantsDocument([grantRow(storedGrant())], now)).to.deep.equal({
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'GrantReport',
      now: '2026-12-01T12:00:00.000Z',
      grants: [
        {
          kind: 'NHIGrant',
          namespace: 'payments',
          name: 'debug',
          subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'api' },
          policy: { name: 'deploy', version: '1.4.0' },
          state: 'Active',
          notAfter: '2026-12-01T12:30:00.000Z',
          left: '30m',
          reason: 'Release 41',
          requestedBy: 'ana@example.com',
        },
      ],
    })
  })

  for (const [sentence, changed, expected] of [
    ['wants a review of what broke the glass', { spec: { breakGlass: { incident: 'INC-7' } } }, true],
    ['wants none of what did not', {}, false],
    [
      'wants none of what was never issued',
      { spec: { breakGlass: { incident: 'I' } }, status: { issuedAt: undefined } },
      false,
    ],
    [
      'wants no second one',
      { spec: { breakGlass: { incident: 'I' } }, status: { review: { reviewedAt: 'x' } } },
      false,
    ],
  ] as const) {
    it(sentence, () => {
      expect(awaitsReview(grantRow(storedGrant(changed)))).to.equal(expected)
    })
  }

  it('refuses a namespace beside all of them', async () => {
    const { code, stderr } = await lapse(['grants', '-A', '-n', 'payments'])
    expect({ code, stderr }).to.deep.equal({
      code: 2,
      stderr: 'lapse grants: give --namespace or --all-namespaces; see lapse grants --help\n',
    })
  })
})

const textOf = (changed: Parameters<typeof storedGrant>[0]): string => outcomeText(grantRow(storedGrant(changed)), now)

describe('what becomes of a grant', () => {
  it('is told while it is Active', () => {
    expect(textOf({ spec: { credential: { secretName: 'token' } } })).to.equal(
      `NHIGrant payments/debug under deploy@1.4.0 is Active until 2026-12-01T12:30:00.000Z (30m left)
  its token is in Secret payments/token
`,
    )
  })

  it('is told with the proof of its end', () => {
    const status = { ...revoked, ...verified('True'), revocation: { overstay: '38ms' } }
    expect(textOf({ status })).to.equal(
      `NHIGrant payments/debug under deploy@1.4.0 is Revoked: Ana is on holiday
  ended at 2026-12-01T12:00:00.000Z, over-stay 38ms
  the API server denies what was granted
`,
    )
  })

  it('is told with what still gives the access', () => {
    const revocation = { overstay: '38ms', residual: ['RoleBinding payments/legacy'] }
    expect(textOf({ status: { ...revoked, ...verified('False'), revocation } })).to.include(
      '\n  still given by RoleBinding payments/legacy\n',
    )
  })

  it('is told when it was refused', () => {
    const conditions = [
      { type: 'Ready', status: 'False', reason: 'Denied', message: 'too long', lastTransitionTime: '' },
    ]
    const status = { state: 'Denied', issuedAt: undefined, notAfter: undefined, policy: undefined, conditions }
    expect(textOf({ status })).to.equal('NHIGrant payments/debug under deploy is Denied: too long\n')
  })

  it('waits for an approval, and says how to give it', () => {
    const conditions = [
      { type: 'Ready', status: 'False', reason: 'x', message: 'waits for 1 of 2 approvals', lastTransitionTime: '' },
    ]
    expect(waitingText(grantRow(storedGrant({ status: { state: 'AwaitingApproval', conditions } })))).to.equal(
      `  AwaitingApproval: waits for 1 of 2 approvals
  to approve: lapse approve debug -n payments --reason …
`,
    )
  })

  for (const [sentence, status, settled, proved] of [
    ['is not over while it is Active', {}, false, false],
    ['is not settled until the API server was asked', revoked, false, false],
    ['is not settled while that is not clear', { ...revoked, ...verified('Unknown') }, false, false],
    ['is not proved when something else gives it', { ...revoked, ...verified('False') }, true, false],
    ['is proved when the API server denies it', { ...revoked, ...verified('True') }, true, true],
    ['needs no proof when it never was issued', { state: 'Denied', issuedAt: undefined }, true, true],
  ] as const) {
    it(sentence, () => {
      const row = grantRow(storedGrant({ status }))
      expect({ settled: endIsSettled(row), proved: endIsProved(row) }).to.deep.equal({ settled, proved })
    })
  }
})

describe('the time by the API server', () => {
  for (const [sentence, own, expected] of [
    ['is that of this machine where they agree', 10_400, 10_400],
    ['is not before what the API server said', 0, 10_100],
    ['is not after it', 99_000, 11_200],
  ] as const) {
    it(sentence, () => {
      const clock = { now: () => own, monotonic: () => 700, after: () => () => {} }
      const time = new ServerTime(clock)
      expect(time.now()).to.equal(own)
      time.heard({ date: 10_000, sent: 500, received: 600 })
      time.heard({ date: Number.NaN, sent: 600, received: 650 })
      expect(time.now()).to.equal(expected)
    })
  }
})
