import { expect } from 'chai'
import { grantDigestOf } from '../../src/api/v1alpha1/digest.ts'
import type { NHIGrantSpec } from '../../src/api/v1alpha1/nhi-grant.schema.ts'
import { reviewApproval } from '../../src/webhook/review-approval.ts'
import { reviewGrant } from '../../src/webhook/review-grant.ts'
import { readSaying, SaidOfGrants } from '../../src/webhook/said-of-grants.ts'
import type { WorldIndex } from '../../src/world/world-index.ts'
import { account, grant, payments, policy } from './objects.ts'
import {
  gist,
  judge,
  now,
  operatorUser,
  refusalOf,
  requestOf,
  worldOf,
  type RawObject,
  type RequestOptions,
} from './requests.ts'

const requester = 'bob@example.com'
const robot = 'system:serviceaccount:payments:robot'
const subject = 'system:serviceaccount:payments:api'
const uid = 'uid-1'

const terms = {
  maxDuration: '1h',
  requesters: [{ kind: 'User', name: requester }],
  approval: {
    required: 1,
    by: [
      { kind: 'Group', name: 'payments-leads' },
      { kind: 'User', name: subject },
      { kind: 'User', name: requester },
      { kind: 'ServiceAccount', namespace: 'payments', name: 'robot' },
    ],
    within: '2h',
  },
  breakGlass: {
    requesters: [{ kind: 'User', name: requester }],
    maxDuration: '15m',
    reviewWithin: '24h',
    reviewers: [{ kind: 'User', name: 'rea@example.com' }],
  },
}
const guarded = policy({ grants: terms })

function stored(status: object = {}, spec: object = {}, metadata: object = {}): RawObject {
  const own = { uid, creationTimestamp: '2026-06-01T11:00:00Z', ...metadata }
  return { ...grant({ requestedBy: requester, ...spec }, own), status }
}
const waiting = stored({ state: 'AwaitingApproval' })
const overdue = { dueBy: '2026-06-02T12:00:00Z' }
const emergency = { breakGlass: { incident: 'INC-77' } }
const unreviewed = stored({ state: 'Expired', review: overdue }, emergency)

const worldWith = (object: RawObject | null, ...others: readonly RawObject[]): WorldIndex =>
  worldOf(...payments, account('payments/robot'), guarded, ...(object === null ? [] : [object]), ...others)

function digestIn(world: WorldIndex, object = waiting): string {
  return grantDigestOf(object['spec'] as NHIGrantSpec, world.policy('payments-deploy')?.digest ?? '')
}

function approval(spec: object = {}, metadata: object = {}): RawObject {
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrantApproval',
    metadata: { namespace: 'payments', name: 'rollout-2041-x', ...metadata },
    spec: {
      grant: { name: 'rollout-2041', uid },
      grantDigest: digestIn(worldWith(waiting)),
      decision: 'Approve',
      reason: 'looks right',
      approver: 'ana@example.com',
      ...spec,
    },
  }
}

const lead: RequestOptions = { groups: ['payments-leads', 'system:authenticated'] }
const ask = (object: RawObject, options: RequestOptions = lead, world = worldWith(waiting)) =>
  judge(reviewApproval, requestOf(object, options), world)
const by = (user: string, groups: readonly string[] = ['system:authenticated']): RequestOptions => ({ user, groups })

/** What is said of one when another is there. */
function askAfter(known: RawObject, object = approval(), options = lead, world = worldWith(waiting)) {
  const said = new SaidOfGrants()
  const { namespace, name } = known.metadata as { readonly namespace: string; readonly name: string }
  said.apply({ key: { namespace, name }, before: null, after: readSaying(known) })
  return reviewApproval(requestOf(object, options), { world, now, operatorUser, said })
}

const first = (spec: object = {}, metadata: object = {}) => approval(spec, { name: 'first', ...metadata })

const dropApproval = (world: WorldIndex, options: RequestOptions = {}) =>
  ask(approval({ decision: 'Deny' }), { operation: 'DELETE', ...options }, world)

const dropGrant = (object: RawObject) =>
  judge(reviewGrant, requestOf(object, { operation: 'DELETE' }), worldWith(object))

const owner = (name: string) => ({ apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', name, uid: `uid of ${name}` })

describe('reviewApproval', () => {
  const allowances: readonly (readonly [
    sentence: string,
    object: RawObject,
    options?: RequestOptions,
    world?: WorldIndex,
  ])[] = [
    ['an approval by a member of a listed group', approval()],
    ['a denial', approval({ decision: 'Deny' })],
    ['a listed ServiceAccount', approval({ approver: robot }), by(robot)],
    ['an approval of one that is Pending still', approval(), lead, worldWith(stored())],
    [
      'an approval and a denial of one that is Active',
      approval({ decision: 'Deny' }),
      lead,
      worldWith(stored({ state: 'Active' })),
    ],
    [
      'a denial after the time for approvals',
      approval({ decision: 'Deny' }),
      lead,
      worldWith(stored({}, {}, { creationTimestamp: '2026-06-01T10:00:00Z' })),
    ],
  ]
  for (const [sentence, object, options, world] of allowances) {
    it(`allows ${sentence}`, () => expect(gist(ask(object, options, world))).to.equal('allowed'))
    it(`has the same answer for a dry run of ${sentence}`, () =>
      expect(gist(ask(object, { ...lead, ...options, dryRun: true }, world))).to.equal('allowed'))
  }

  const memberOf = (name: string) => stored({ state: 'AwaitingApproval' }, { subject: { kind: 'Group', name } })
  const nobody = policy({ grants: { ...terms, approval: { required: 0, by: [] } } })
  const group = memberOf('payments-leads')
  const refusals: readonly (readonly [
    sentence: string,
    text: string,
    object: RawObject,
    options?: RequestOptions,
    world?: WorldIndex,
  ])[] = [
    [
      'of a grant that is not there',
      '[approval-grant-missing] spec.grant: there is no grant payments/rollout-2041, not uid-1',
      approval(),
      lead,
      worldWith(null),
    ],
    [
      'of another grant of the same name',
      'spec.grant: grant payments/rollout-2041 is another one, with UID uid-1, not uid-0',
      approval({ grant: { name: 'rollout-2041', uid: 'uid-0' } }),
    ],
    [
      'of something else that was looked at',
      '[approval-outdated] spec.grantDigest: is not the digest of what the grant asks for under payments-deploy@1.4.0',
      approval({ grantDigest: 'sha256:0' }),
    ],
    [
      'under another version of the policy',
      '[approval-outdated]',
      approval(),
      lead,
      worldWith(waiting, policy({ version: '1.5.0', grants: terms })),
    ],
    [
      'F3: after the time for approvals',
      '[approval-out-of-time] spec.decision: approvals were due by 2026-06-01T12:00:00.000Z',
      approval(),
      lead,
      worldWith(stored({}, {}, { creationTimestamp: '2026-06-01T10:00:00Z' })),
    ],
    [
      'of one that is over',
      'is over, or about to be: Denied',
      approval(),
      lead,
      worldWith(stored({ state: 'Denied' })),
    ],
    [
      'of one that is being revoked',
      'is over, or about to be: Active',
      approval(),
      lead,
      worldWith(stored({ state: 'Active' }, { revoke: { reason: 'enough' } })),
    ],
    [
      'by somebody who is not listed',
      '[approver-not-allowed] spec.approver: policy payments-deploy@1.4.0 does not let eve@example.com approve the grant: only these may: Group payments-leads',
      approval({ approver: 'eve@example.com' }),
      by('eve@example.com'),
    ],
    [
      'F16: by who asked for it',
      `does not let ${requester} approve the grant: ${requester} asked for the grant`,
      approval({ approver: requester }),
      by(requester, ['payments-leads']),
    ],
    [
      'F16: by its subject',
      `${subject} is the subject of the grant`,
      approval({ approver: subject }),
      by(subject, ['payments-leads']),
    ],
    [
      'F16: by its subject, which the grant spells as a User',
      `${subject} is the subject of the grant`,
      approval({
        approver: subject,
        grantDigest: digestIn(worldWith(null), stored({}, { subject: { kind: 'User', name: subject } })),
      }),
      by(subject, ['payments-leads']),
      worldWith(stored({}, { subject: { kind: 'User', name: subject } })),
    ],
    [
      'F16: by a member of the group that is its subject',
      'ana@example.com is a member of Group payments-leads, the subject of the grant',
      approval({ grantDigest: digestIn(worldWith(null), group) }),
      lead,
      worldWith(group),
    ],
    ['F16: where nobody is listed', 'the grant: nobody may', approval(), lead, worldWith(waiting, nobody)],
    [
      'F16: by who is suspended',
      'ana@example.com is suspended: left',
      approval(),
      lead,
      worldWith(waiting, {
        apiVersion: 'lapse.dev/v1alpha1',
        kind: 'NHISuspension',
        metadata: { name: 'ana' },
        spec: { subject: { kind: 'User', name: 'ana@example.com' }, reason: 'left' },
      }),
    ],
    [
      'that claims another approver',
      '[approver-forged] spec.approver: must be ana@example.com, who says it, not eve@example.com',
      approval({ approver: 'eve@example.com' }),
    ],
    ['that was not stamped', 'who says it, but is not there', approval({ approver: undefined })],
    [
      'as a review of a grant that is no emergency',
      'is no break-glass grant that is to be reviewed',
      approval({ decision: 'Review' }),
    ],
  ]
  for (const [sentence, text, object, options, world] of refusals)
    it(`refuses one ${sentence}`, () => {
      const answer = ask(object, options, world)
      expect(refusalOf(answer).replaceAll(/ +/g, ' ')).to.contain(text)
      expect(answer).to.include({ code: 403 })
    })

  it('waits for a grant, and for a version of a policy, that may be on its way', () => {
    const own = { kind: 'NHIGrant', namespace: 'payments', name: 'rollout-2041' }
    expect(ask(approval(), lead, worldWith(null)).unsettled).to.deep.equal([own])
    const versions = { kind: 'AccessPolicy', namespace: '', name: 'payments-deploy' }
    expect(ask(approval({ grantDigest: 'sha256:0' })).unsettled).to.deep.equal([versions])
    expect(ask(approval({ approver: 'eve' }), by('eve')).unsettled).to.deep.equal([])
  })

  it('refuses one that says too little', () => {
    expect(gist(ask(approval({ reason: '', decision: 'Maybe' })))).to.contain('422')
  })

  describe('of what was said before', () => {
    const wide = { grant: { kind: 'ClusterNHIGrant', name: 'rollout-2041', uid } }
    const robotSays = { approver: robot, reason: 'automatic' }

    for (const [sentence, text, known, object, options] of [
      ['an approval', 'ana@example.com has already approved this grant as it is: first', first(), approval()],
      [
        'an approval for another reason',
        'has already approved',
        first({ reason: 'looked at it' }),
        approval({}, { name: undefined, generateName: 'rollout-2041-' }),
      ],
      ['an approval in a dry run', 'has already approved', first(), approval(), { ...lead, dryRun: true }],
      [
        'a denial',
        'ana@example.com has already denied this grant as it is: first',
        first({ decision: 'Deny' }),
        approval({ decision: 'Deny' }),
      ],
      [
        'an approval by a ServiceAccount',
        `${robot} has already approved this grant as it is: first`,
        first(robotSays),
        approval(robotSays),
        by(robot),
      ],
    ] as const)
      it(`refuses ${sentence} again`, () => {
        const answer = askAfter(known, object, options)
        expect(refusalOf(answer)).to.contain('says nothing new\n  [approval-repeated] spec: ').and.contain(text)
        expect(answer).to.include({ code: 403 })
        expect(answer.unsettled).to.deep.equal([])
      })

    for (const [sentence, known, object] of [
      ['a denial after an approval', first(), approval({ decision: 'Deny' })],
      ['an approval after a denial', first({ decision: 'Deny' }), approval()],
      ['what somebody else has said', first({ approver: 'bo@example.com' }), approval()],
      ['what was said of another grant', first({ grant: { name: 'rollout-2041', uid: 'uid-0' } }), approval()],
      ['what was said of it as it was before', first({ grantDigest: 'sha256:0' }), approval()],
      ['what was said where it does not count', first({}, { namespace: 'search' }), approval()],
      ['what was said of a grant without a namespace', first(wide), approval()],
      ['what nobody has stamped', first({ approver: undefined }), approval()],
    ] as const)
      it(`allows ${sentence}`, () => expect(gist(askAfter(known, object))).to.equal('allowed'))

    it('refuses a review again that is not counted yet', () => {
      const review = {
        decision: 'Review',
        approver: 'rea@example.com',
        grantDigest: digestIn(worldWith(null), unreviewed),
      }
      const answer = askAfter(first(review), approval(review), by('rea@example.com'), worldWith(unreviewed))
      expect(refusalOf(answer)).to.contain('rea@example.com has already reviewed this grant as it is: first')
    })

    it('says what else stands against it, and not that it is nothing new', () => {
      const over = askAfter(first(), approval(), lead, worldWith(stored({ state: 'Revoked' })))
      expect(refusalOf(over)).to.contain('[approval-out-of-time]').and.not.contain('[approval-repeated]')
    })

    it('names both: what somebody says comes to two for each grant as it is', () => {
      const said = new SaidOfGrants()
      for (const [name, decision] of [
        ['yes', 'Approve'],
        ['no', 'Deny'],
      ] as const)
        said.apply({ key: { namespace: 'payments', name }, before: null, after: readSaying(first({ decision })) })
      const answers = ['Approve', 'Deny'].map((decision) =>
        refusalOf(
          reviewApproval(requestOf(approval({ decision }), lead), {
            world: worldWith(waiting),
            now,
            operatorUser,
            said,
          }),
        ),
      )
      expect(answers[0]).to.contain('as it is: yes')
      expect(answers[1]).to.contain('as it is: no')
    })
  })

  describe('of a review', () => {
    const review = approval({
      decision: 'Review',
      approver: 'rea@example.com',
      grantDigest: digestIn(worldWith(null), unreviewed),
    })
    const rea = by('rea@example.com')

    it('allows it by a listed reviewer, once the grant is over', () =>
      expect(gist(ask(review, rea, worldWith(unreviewed)))).to.equal('allowed'))

    it('refuses it while the grant lives', () => {
      const active = stored({ state: 'Active', review: overdue }, emergency)
      expect(refusalOf(ask(review, rea, worldWith(active)))).to.contain('the grant has not ended yet')
    })

    it('refuses it a second time', () => {
      const reviewed = stored(
        { state: 'Expired', review: { ...overdue, reviewedAt: '2026-06-01T12:00:00Z' } },
        emergency,
      )
      expect(refusalOf(ask(review, rea, worldWith(reviewed)))).to.contain('[approval-out-of-time]')
    })

    it('refuses it by who may only approve, and by who asked', () => {
      const world = worldWith(unreviewed)
      const own = approval({ ...(review['spec'] as object), approver: 'ana@example.com' })
      expect(refusalOf(ask(own, lead, world))).to.contain('only these may: User rea@example.com')
      const self = approval({ ...(review['spec'] as object), approver: requester })
      expect(refusalOf(ask(self, by(requester), world))).to.contain('asked for the grant')
    })
  })

  describe('of a change', () => {
    it('refuses another spec, and allows labels', () => {
      const oldObject = approval()
      expect(refusalOf(ask(approval({ decision: 'Deny' }), { oldObject }))).to.contain(
        '[approval-immutable] spec: is immutable',
      )
      expect(gist(ask(approval({}, { labels: { a: 'b' } }), { oldObject }))).to.equal('allowed')
    })

    it('lets it lose its owner, and get no other, with which it could be deleted', () => {
      const owned = approval({}, { ownerReferences: [owner('g')] })
      expect(gist(ask(approval(), { oldObject: owned }))).to.equal('allowed')
      const blocking = approval({}, { ownerReferences: [{ ...owner('g'), blockOwnerDeletion: false }] })
      expect(gist(ask(blocking, { oldObject: owned }))).to.equal('allowed')
      for (const ownerReferences of [[owner('g'), owner('x')], [owner('x')], [{ ...owner('g'), uid: 'other' }]])
        expect(refusalOf(ask(approval({}, { ownerReferences }), { oldObject: owned }))).to.match(
          /\[record-kept\] metadata.ownerReferences: it goes with its grant, not with NHIGrant [gx]/,
        )
    })
  })

  describe('of a deletion', () => {
    it('refuses it while the grant waits or lives', () => {
      for (const state of ['Pending', 'AwaitingApproval', 'Active'])
        expect(refusalOf(dropApproval(worldWith(stored({ state }))))).to.contain(
          '[record-kept] what is said of grant rollout-2041 stands until that is over',
        )
    })

    it('allows it once the grant is over, gone, or another one, and always to the operator', () => {
      for (const world of [
        worldWith(stored({ state: 'Denied' })),
        worldWith(null),
        worldWith(stored({ state: 'Active' }, {}, { uid: 'uid-2' })),
      ])
        expect(gist(dropApproval(world))).to.equal('allowed')
      expect(gist(dropApproval(worldWith(waiting), { user: operatorUser }))).to.equal('allowed')
    })
  })
})

describe('reviewGrant, of a deletion', () => {
  it('refuses it for an emergency that nobody has reviewed, and says how to end it', () => {
    expect(refusalOf(dropGrant(unreviewed)))
      .to.contain('[record-kept] it was issued as an emergency, and nobody has reviewed it')
      .and.contain('set spec.revoke')
  })

  it('allows it for every other', () => {
    for (const object of [waiting, stored({ state: 'Active' }), stored({ state: 'Denied' }, emergency)])
      expect(gist(dropGrant(object))).to.equal('allowed')
    const reviewed = stored({ state: 'Expired', review: { ...overdue, reviewedAt: '2026-06-01T12:00:00Z' } }, emergency)
    expect(gist(dropGrant(reviewed))).to.equal('allowed')
  })
})

describe('reviewGrant, of owners', () => {
  const owned = { ownerReferences: [owner('x')] }
  const change = (spec: object) => {
    const oldObject = stored({ state: 'Active' }, spec)
    const object = stored({ state: 'Active' }, spec, owned)
    return judge(reviewGrant, requestOf(object, { oldObject }), worldWith(oldObject))
  }

  it('lets an emergency have none, with whom it would go before its review', () => {
    const told = /\[record-kept\] +metadata.ownerReferences: an emergency goes with nobody: .* not with NHIGrant x/
    const object = stored({}, { ...emergency, duration: '10m' }, owned)
    expect(refusalOf(judge(reviewGrant, requestOf(object, by(requester)), worldWith(null)))).to.match(told)
    expect(refusalOf(change(emergency))).to.match(told)
  })

  it('lets every other grant have some', () => {
    expect(gist(judge(reviewGrant, requestOf(stored({}, {}, owned), by(requester)), worldWith(null)))).to.equal(
      'allowed',
    )
    expect(gist(change({}))).to.equal('allowed')
  })
})
