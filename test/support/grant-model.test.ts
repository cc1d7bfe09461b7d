import { expect } from 'chai'

import { GrantModel, type AskedGrant, type GrantReading } from './grant-model.ts'

const bound = 2_000
const grant: AskedGrant = {
  uid: 'u',
  name: 'g',
  subject: 'a',
  rights: ['get pods'],
  isProper: true,
  hasTask: false,
  isEmergency: false,
  end: { after: 3_000 },
}
const active: GrantReading = { uid: 'u', state: 'Active', notAfter: 4_000 }

function modelOf(changed: Partial<AskedGrant> = {}, needsApproval = false): GrantModel {
  const model = new GrantModel({ version: 1, needsApproval }, ['a'])
  model.asked({ ...grant, ...changed }, 1_000)
  return model
}

/** What is said against `get pods` of `a` at that instant. */
const against = (model: GrantModel, at: number): string | null =>
  model.whyNot('a', 'get pods', at, (end) => end + bound)

describe('the model of grants', () => {
  it('allows what a grant on record gives, until its end and the bound', () => {
    const model = modelOf()
    expect(model.read([active], 1_100)).to.deep.equal([])
    expect(against(model, 5_999)).to.equal(null)
    expect(against(model, 6_000)).to.equal('the last grant that gave it ended 2000 ms ago')
    expect(model.whyNot('a', 'get secrets', 2_000, () => Infinity)).to.match(/^no grant/)
    expect(model.whyNot('b', 'get pods', 2_000, () => Infinity)).to.match(/^no grant/)
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
    'a new version of its policy': (model) => model.policyIs({ version: 2, needsApproval: false }, 2_000),
    'the withdrawal of its policy': (model) => model.policyIs(null, 2_000),
    'the deletion of its subject': (model) => model.subjectIs('a', 'gone', 2_000),
    'another scope': (model) => model.scopeIs(false, 2_000),
    'a suspension': (model) => model.suspensionIs('a', 'set', 2_000),
    'the end of its task': (model) => model.taskIs('over', 2_000),
    'a denial': (model) => model.said('u', 'Deny', 2_000),
    'a final state': (model) => void model.read([{ ...active, state: 'Revoked' }], 2_000),
  }
  for (const [what, end] of Object.entries(ends))
    it(`takes ${what} for its end, for good`, () => {
      const model = modelOf({ hasTask: true })
      model.taskIs('there', 1_000)
      model.read([active], 1_100)
      end(model)
      model.policyIs({ version: 3, needsApproval: false }, 2_100)
      model.subjectIs('a', 'there', 2_100)
      model.scopeIs(true, 2_100)
      model.suspensionIs('a', 'lifted', 2_100)
      model.taskIs('there', 2_100)
      expect(against(model, 3_999)).to.equal(null)
      expect(against(model, 4_000)).to.match(/^the last grant/)
    })

  it('allows nothing before an approval that is needed, and under another version nothing of it', () => {
    const model = modelOf({}, true)
    model.read([active], 1_100)
    expect(against(model, 1_000 + bound)).to.match(/^the last grant/)
    model.said('u', 'Approve', 3_100)
    expect(against(model, 3_200)).to.equal(null)
    const later = modelOf({}, true)
    later.said('u', 'Approve', 1_100)
    later.policyIs({ version: 2, needsApproval: true }, 1_200)
    later.read([active], 1_300)
    expect(against(later, 1_200 + bound)).to.match(/^the last grant/)
  })

  it('allows nothing without the task that it ends with, and an emergency without an approval', () => {
    const waiting = modelOf({ hasTask: true })
    waiting.read([active], 1_100)
    expect(against(waiting, 1_000 + bound)).to.match(/^the last grant/)
    const emergency = modelOf({ isEmergency: true }, true)
    emergency.read([active], 1_100)
    expect(against(emergency, 1_000 + bound)).to.equal(null)
  })

  it('lets what somebody gave by hand be there until it must be taken away', () => {
    const model = modelOf()
    model.tampered('a', 'get secrets', Infinity)
    expect(model.whyNot('a', 'get secrets', 9_000, (end) => end + bound)).to.equal(null)
    model.started(9_000)
    expect(model.whyNot('a', 'get secrets', 11_000, (end) => end + bound)).to.match(/^no grant/)
  })
})
