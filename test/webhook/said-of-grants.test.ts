import { expect } from 'chai'
import { nhiGrantApproval } from '../api/v1alpha1/wire.ts'
import { readSaying, SaidOfGrants, type Saying } from '../../src/webhook/said-of-grants.ts'

interface Parts {
  readonly namespace?: string
  readonly grant?: object
  readonly spec?: object
}

function approval({ namespace = 'payments', grant = {}, spec = {} }: Parts = {}): object {
  return nhiGrantApproval((one) => {
    one.metadata = { namespace, name: 'any' }
    Object.assign(one.spec, spec)
    Object.assign(one.spec.grant, grant)
  })
}

function saying(parts: Parts = {}): Saying {
  const read = readSaying(approval(parts))
  if (read === null) throw new Error('nobody says it')
  return read
}

describe('what is kept of an NHIGrantApproval', () => {
  for (const [sentence, parts] of [
    ['another reason', { spec: { reason: 'looked again' } }],
    ['a kind that goes without saying', { grant: { kind: 'NHIGrant' } }],
  ] as const)
    it(`is the same with ${sentence}`, () => expect(saying(parts)).to.equal(saying()))

  for (const [sentence, parts] of [
    ['another grant', { grant: { uid: 'uid-2' } }],
    ['a grant of another kind', { grant: { kind: 'ClusterNHIGrant' } }],
    ['another digest', { spec: { grantDigest: 'sha256:1' } }],
    ['another decision', { spec: { decision: 'Deny' } }],
    ['another approver', { spec: { approver: 'bo' } }],
    ['another namespace, where it counts for another grant or for none', { namespace: 'search' }],
  ] as const)
    it(`is another with ${sentence}`, () => expect(saying(parts)).not.to.equal(saying()))

  it('is another whatever its parts hold: none runs into the next', () => {
    const cut = saying({ grant: { uid: 'a","b' }, spec: { grantDigest: 'c' } })
    expect(cut).not.to.equal(saying({ grant: { uid: 'a' }, spec: { grantDigest: 'b","c' } }))
  })

  for (const [sentence, object] of [
    ['was not stamped, which counts for nothing', approval({ spec: { approver: undefined } })],
    ['cannot be read', approval({ spec: { decision: 'Maybe' } })],
    ['is no object', null],
  ] as const)
    it(`is nothing of one that ${sentence}`, () => expect(readSaying(object)).to.equal(null))
})

const key = (name: string) => ({ namespace: 'payments', name })

describe('SaidOfGrants', () => {
  const [approved, denied] = [saying(), saying({ spec: { decision: 'Deny' } })]

  it('names the first that says so, for as long as it is there, then the next', () => {
    const said = new SaidOfGrants()
    expect(said.nameOf(approved)).to.equal(null)
    for (const name of ['a', 'b']) said.apply({ key: key(name), before: null, after: approved })
    expect(said.nameOf(approved)).to.equal('a')
    expect(said.nameOf(denied)).to.equal(null)
    said.apply({ key: key('a'), before: approved, after: null })
    expect(said.nameOf(approved)).to.equal('b')
    said.apply({ key: key('b'), before: approved, after: null })
    expect(said.nameOf(approved)).to.equal(null)
  })

  it('follows one that is written again, or made anew with another word', () => {
    const said = new SaidOfGrants()
    said.apply({ key: key('a'), before: null, after: approved })
    said.apply({ key: key('a'), before: approved, after: approved })
    expect(said.nameOf(approved)).to.equal('a')
    said.apply({ key: key('a'), before: approved, after: denied })
    expect([approved, denied].map((each) => said.nameOf(each))).to.deep.equal([null, 'a'])
  })

  it('knows nothing of what nobody says', () => {
    const said = new SaidOfGrants()
    said.apply({ key: key('a'), before: null, after: null })
    said.apply({ key: key('a'), before: null, after: approved })
    expect(said.nameOf(approved)).to.equal('a')
  })
})
