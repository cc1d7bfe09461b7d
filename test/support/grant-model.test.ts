import { expect } from 'chai'

import { hurried, signs, type AskedGrant, type GrantReading, type ModelPolicy } from './asked-grant.ts'
import { GrantModel } from './grant-model.ts'

const bound = 2_000
const grant: AskedGrant = {
  uid: 'u',
  name: 'g',
  subject: 'a',
  holder: 'a',
  rights: ['get pods'],
  isProper: true,
  isWide: false,
  hasTask: false,
  isEmergency: false,
  end: { after: 3_000 },
}
const active: GrantReading = { uid: 'u', state: 'Active', notAfter: 4_000, tokenEnd: null }
const policy = { version: 1, needsApproval: false, isWide: true } as const
const withApproval = { ...policy, needsApproval: true } as const

function modelOf(changed: Partial<AskedGrant> = {}, inForce: ModelPolicy = policy): GrantModel {
  const model = new GrantModel(inForce, ['a'], (end) => end + bound)
  model.asked({ ...grant, ...changed }, 1_000)
  return model
}

/** What is said against `get pods` of `a` at that instant. */
const against = (model: GrantModel, at: number): string | null => model.whyNot('a', 'get pods', at)

describe('the model of grants', () => {
  it('allows what a grant on record gives, until its end and the bound', () => {
    const model = modelOf()
    expect(model.read([active], 1_100)).to.deep.equal([])
    expect(against(model, 5_999)).to.equal(null)
    expect(against(model, 6_000)).to.equal('the last grant that gave it ended 2000 ms ago')
    expect(model.whyNot('a', 'get secrets', 2_000)).to.match(/^no grant/)
    expect(model.whyNot('b', 'get pods', 2_000)).to.match(/^no grant/)
  })

  it('allows nothing without a record', () => {
    expect(against(modelOf(), 1_200)).to.equal('no grant that may give it is on record with an end')
  })

  it('minds an end that is later than was asked for, or moves later', () => {
    const model = modelOf()
    expect(model.read([{ ...active, notAfter: 4_101 }], 1_100)).to.deep.equal(['g ends 1 ms later than it asked for'])
    expect(model.read([{ ...active, notAfter: 4_201 }], 1_100)).to.deep.equal(['the end of g moved later by 100 ms'])
    expect(modelOf().read([{ ...active, notAfter: 4_101 }], 1_100, 1_101)).to.deep.equal([])
    const absolute = modelOf({ end: { at: 3_999 } })
    expect(absolute.read([active], 1_100)).to.deep.equal(['g ends 1 ms later than it asked for'])
  })

  it('minds the issue of what may never be issued', () => {
    expect(modelOf({ isProper: false }).read([active], 1_100)).to.deep.equal([
      'g, which asks for what it may not have, was issued',
    ])
  })

  const ends: Readonly<Record<string, (model: GrantModel) => void>> = {
    'its revocation': (model) => model.revoked('u', 2_000),
    'its deletion': (model) => model.deleted('u', 2_000),
    'a new version of its policy': (model) => model.policyIs({ ...policy, version: 2 }, 2_000),
    'the withdrawal of its policy': (model) => model.policyIs(null, 2_000),
    'the deletion of its subject': (model) => model.subjectIs('a', 'gone', 2_000),
    'the end of its task': (model) => model.taskIs('over', 2_000),
    'another account in the place of its identity': (model) => model.identityTaken('u', 2_000),
    'a denial': (model) => model.said('u', 'Deny', 2_000),
    'a final state': (model) => void model.read([{ ...active, state: 'Revoked' }], 2_000),
  }
  for (const [what, end] of Object.entries(ends))
    it(`takes ${what} for its end, for good`, () => {
      const model = modelOf({ hasTask: true })
      model.taskIs('there', 1_000)
      model.read([active], 1_100)
      end(model)
      model.policyIs({ ...policy, version: 3 }, 2_100)
      model.subjectIs('a', 'there', 2_100)
      model.taskIs('there', 2_100)
      expect(against(model, 3_999)).to.equal(null)
      expect(against(model, 4_000)).to.match(/^the last grant/)
    })

  type Turn = (model: GrantModel, at: number) => void
  const turns: Readonly<Record<string, readonly [begin: Turn, end: Turn]>> = {
    'another scope': [(model, at) => model.scopeIs(false, at), (model, at) => model.scopeIs(true, at)],
    'a suspension': [
      (model, at) => model.suspensionIs('a', 'set', at),
      (model, at) => model.suspensionIs('a', 'lifted', at),
    ],
    'an incident': [
      (model, at) => model.signIs('incident', 'up', at),
      (model, at) => model.signIs('incident', 'down', at),
    ],
    'a freeze': [(model, at) => model.signIs('freeze', 'up', at), (model, at) => model.signIs('freeze', 'down', at)],
  }
  for (const [what, [begin, end]] of Object.entries(turns)) {
    it(`takes ${what} for its end, for good once it must have been seen`, () => {
      const model = modelOf({ end: { after: 9_000 } })
      model.read([{ ...active, notAfter: 10_000 }], 1_100)
      begin(model, 2_000)
      expect(against(model, 3_999)).to.equal(null)
      expect(against(model, 4_000)).to.match(/^the last grant/)
      end(model, 4_000)
      expect(against(model, 4_000)).to.match(/^the last grant/)
      const unseen = modelOf({ end: { after: 9_000 } })
      unseen.read([{ ...active, notAfter: 10_000 }], 1_100)
      begin(unseen, 2_000)
      end(unseen, 3_999)
      expect(against(unseen, 4_000)).to.equal(null)
    })

    it(`lets what was not issued be issued after ${what}`, () => {
      const model = modelOf()
      begin(model, 1_100)
      end(model, 9_000)
      model.read([{ ...active, notAfter: 12_000 }], 9_100)
      expect(against(model, 9_200)).to.equal(null)
    })
  }

  it('takes what is cut short in a rush for over in time, for good once it must have been seen', () => {
    const end = 1_100 + hurried + bound
    for (const lifted of [end - 1, end]) {
      const model = modelOf({ end: { after: 9_000 } })
      model.read([{ ...active, notAfter: 10_000 }], 1_100)
      model.signIs('rush', 'up', 1_200)
      expect(against(model, end - 1)).to.equal(null)
      expect(against(model, end)).to.match(/^the last grant/)
      model.signIs('rush', 'down', lifted)
      expect(against(model, end) === null).to.equal(lifted < end)
    }
  })

  it('asks of a grant for the whole cluster that its policy gives it, and nothing of its namespace', () => {
    const model = modelOf({ isWide: true })
    model.read([active], 1_100)
    for (const sign of signs) model.signIs(sign, 'up', 1_100)
    expect(against(model, 5_999)).to.equal(null)
    const narrow = modelOf({ isWide: true }, { ...policy, isWide: false })
    narrow.read([active], 1_100)
    expect(against(narrow, 1_000 + bound)).to.match(/^the last grant/)
  })

  it('allows to an identity of its own what it gives, and nothing of it to its subject', () => {
    const model = modelOf({ holder: 'own' })
    model.read([active], 1_100)
    expect(model.holders).to.deep.equal(['a', 'own'])
    expect(model.whyNot('own', 'get pods', 2_000)).to.equal(null)
    expect(against(model, 2_000)).to.match(/^no grant/)
    model.suspensionIs('a', 'set', 2_000)
    expect(model.whyNot('own', 'get pods', 2_000 + bound)).to.match(/^the last grant/)
  })

  it('says which of them nothing has ended yet', () => {
    const model = modelOf({ holder: 'own' })
    expect(model.living(1_000).map(({ name }) => name)).to.deep.equal(['g'])
    model.read([active], 1_100)
    expect(model.living(3_999)).to.have.length(1)
    expect(model.living(4_000)).to.deep.equal([])
    model.signIs('incident', 'up', 1_200)
    expect(model.living(1_200)).to.deep.equal([])
  })

  it('minds a token that lasts longer than was asked for', () => {
    const model = modelOf()
    expect(model.read([{ ...active, tokenEnd: 4_100 }], 1_100)).to.deep.equal([])
    expect(model.read([{ ...active, tokenEnd: 4_101 }], 1_200)).to.deep.equal(['the token of g outlives it'])
  })

  it('allows nothing before an approval that is needed, and under another version nothing of it', () => {
    const model = modelOf({}, withApproval)
    model.read([active], 1_100)
    expect(against(model, 1_000 + bound)).to.match(/^the last grant/)
    model.said('u', 'Approve', 2_900)
    expect(against(model, 3_200)).to.equal(null)
    const frozen = modelOf({ isEmergency: true })
    frozen.signIs('freeze', 'up', 1_000)
    frozen.read([active], 1_100)
    expect(against(frozen, 1_000 + bound)).to.equal(null)
    const later = modelOf({}, withApproval)
    later.said('u', 'Approve', 1_100)
    later.policyIs({ ...policy, version: 2, needsApproval: true }, 1_200)
    later.read([active], 1_300)
    expect(against(later, 1_200 + bound)).to.match(/^the last grant/)
  })

  it('allows nothing without the task that it ends with, and an emergency without an approval', () => {
    const waiting = modelOf({ hasTask: true })
    waiting.read([active], 1_100)
    expect(against(waiting, 1_000 + bound)).to.match(/^the last grant/)
    const emergency = modelOf({ isEmergency: true }, withApproval)
    emergency.read([active], 1_100)
    expect(against(emergency, 1_000 + bound)).to.equal(null)
  })

  it('lets what somebody gave by hand be there until it must be taken away', () => {
    const model = modelOf()
    model.tampered('a', 'get secrets', Infinity)
    expect(model.whyNot('a', 'get secrets', 9_000)).to.equal(null)
    model.started(9_000)
    expect(model.whyNot('a', 'get secrets', 11_000)).to.match(/^no grant/)
  })
})
