import { expect } from 'chai'
import {
  describeIdentity,
  requesterNamed,
  sameIdentity,
  serviceAccountOf,
  usernameOf,
  type Identity,
} from '../../src/core/identity.ts'

const deployer: Identity = { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }
const spelledOut: Identity = { kind: 'User', name: 'system:serviceaccount:ci:deployer' }

describe('serviceAccountOf', () => {
  const table: readonly (readonly [sentence: string, username: string, found: object | null])[] = [
    ['finds namespace and name', 'system:serviceaccount:ci:deployer', { namespace: 'ci', name: 'deployer' }],
    ['finds none behind another user', 'ci:acme', null],
    ['wants a name', 'system:serviceaccount:ci:', null],
    ['wants a namespace', 'system:serviceaccount::deployer', null],
    ['wants both', 'system:serviceaccount:ci', null],
    ['takes no further part', 'system:serviceaccount:ci:deployer:x', null],
    ['tells it from the group', 'system:serviceaccounts:ci', null],
  ]
  for (const [sentence, username, found] of table) {
    it(`${sentence}: ${username}`, () => expect(serviceAccountOf(username)).to.deep.equal(found))
  }
})

describe('an identity', () => {
  it('has the user name that the API server sees', () => {
    expect(usernameOf(deployer)).to.equal('system:serviceaccount:ci:deployer')
    expect(usernameOf({ kind: 'User', name: 'ci:acme' })).to.equal('ci:acme')
  })

  it('has no user name when it is a group', () => expect(usernameOf({ kind: 'Group', name: 'devs' })).to.equal(null))

  it('is named in messages by kind, namespace and name', () => {
    expect(describeIdentity(deployer)).to.equal('ServiceAccount ci/deployer')
    expect(describeIdentity({ kind: 'Group', name: 'devs' })).to.equal('Group devs')
  })

  const same: readonly (readonly [sentence: string, a: Identity, b: Identity, isSame: boolean])[] = [
    ['is itself', deployer, { ...deployer }, true],
    ['is the User that spells it out', deployer, spelledOut, true],
    ['is not its namesake elsewhere', deployer, { ...deployer, namespace: 'qa' }, false],
    ['is not a Group of the same name', { kind: 'User', name: 'devs' }, { kind: 'Group', name: 'devs' }, false],
    ['is the same Group by name', { kind: 'Group', name: 'devs' }, { kind: 'Group', name: 'devs' }, true],
  ]
  for (const [sentence, a, b, isSame] of same) {
    it(sentence, () => expect([sameIdentity(a, b), sameIdentity(b, a)]).to.deep.equal([isSame, isSame]))
  }
})

describe('requesterNamed', () => {
  it('derives the groups of a ServiceAccount', () => {
    expect(requesterNamed('system:serviceaccount:ci:deployer').groups).to.deep.equal([
      'system:serviceaccounts',
      'system:serviceaccounts:ci',
      'system:authenticated',
    ])
  })

  it('does not know the groups of anyone else', () => expect(requesterNamed('ana').groups).to.equal(null))
})
