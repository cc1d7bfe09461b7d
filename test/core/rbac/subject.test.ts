import { expect } from 'chai'
import type { Identity } from '../../../src/core/identity.ts'
import { rbacUserOf, subjectKeyOf, subjectKeysOf } from '../../../src/core/rbac/subject.ts'

describe('rbacUserOf', () => {
  const account = 'system:serviceaccount:ci:deployer'
  const accountGroups = ['system:serviceaccounts', 'system:serviceaccounts:ci', 'system:authenticated']
  const table: readonly { sentence: string; identity: Identity; username: string | null; groups: readonly string[] }[] =
    [
      {
        sentence: 'knows all groups of a ServiceAccount',
        identity: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
        username: account,
        groups: accountGroups,
      },
      {
        sentence: 'sees the ServiceAccount behind a User that spells it out',
        identity: { kind: 'User', name: account },
        username: account,
        groups: accountGroups,
      },
      {
        sentence: 'knows that a User is authenticated',
        identity: { kind: 'User', name: 'ci:acme' },
        username: 'ci:acme',
        groups: ['system:authenticated'],
      },
      {
        sentence: 'knows that system:anonymous is not',
        identity: { kind: 'User', name: 'system:anonymous' },
        username: 'system:anonymous',
        groups: ['system:unauthenticated'],
      },
      {
        sentence: 'knows the group of nodes',
        identity: { kind: 'User', name: 'system:node:n1' },
        username: 'system:node:n1',
        groups: ['system:nodes', 'system:authenticated'],
      },
      {
        sentence: 'takes a Group for a member without a name',
        identity: { kind: 'Group', name: 'devs' },
        username: null,
        groups: ['devs', 'system:authenticated'],
      },
      {
        sentence: 'knows that the ServiceAccounts of a namespace are ServiceAccounts',
        identity: { kind: 'Group', name: 'system:serviceaccounts:ci' },
        username: null,
        groups: ['system:serviceaccounts:ci', 'system:serviceaccounts', 'system:authenticated'],
      },
      {
        sentence: 'does not authenticate the unauthenticated',
        identity: { kind: 'Group', name: 'system:unauthenticated' },
        username: null,
        groups: ['system:unauthenticated'],
      },
    ]
  for (const { sentence, identity, username, groups } of table) {
    it(sentence, () => expect(rbacUserOf(identity)).to.deep.equal({ username, groups }))
  }
})

describe('subjectKeyOf', () => {
  it('makes one key of a ServiceAccount and of the User of its name', () => {
    const key = subjectKeyOf({ kind: 'ServiceAccount', name: 'api', namespace: 'payments' }, 'ci')
    expect(key).to.equal(subjectKeyOf({ kind: 'User', name: 'system:serviceaccount:payments:api' }, ''))
  })

  it('stands for nobody where neither the subject nor the binding has a namespace', () => {
    expect(subjectKeyOf({ kind: 'ServiceAccount', name: 'api' }, '')).to.equal(null)
  })

  it('takes an empty namespace for the one of the binding', () => {
    const key = subjectKeyOf({ kind: 'ServiceAccount', name: 'api', namespace: '' }, 'payments')
    expect(key).to.equal('User:system:serviceaccount:payments:api')
  })

  it('keeps Users and Groups of one name apart', () => {
    expect(subjectKeysOf({ username: 'a', groups: ['a'] })).to.deep.equal(['User:a', 'Group:a'])
  })
})
