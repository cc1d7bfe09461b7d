import { expect } from 'chai'
import { readBinding, readRole } from '../../../src/core/rbac/read-objects.ts'

const clusterRoleWith = (rules: unknown) => readRole('ClusterRole', { metadata: { name: 'x', uid: 'u' }, rules })

describe('readRole', () => {
  it('reads absent and null lists as empty', () => {
    expect(clusterRoleWith(null)).to.deep.equal({ namespace: null, name: 'x', uid: 'u', labels: {}, rules: [] })
    expect(clusterRoleWith(undefined).rules).to.deep.equal([])
    expect(clusterRoleWith([{ verbs: null, resources: null }]).rules).to.deep.equal([{ verbs: [] }])
  })

  it('keeps what a rule says', () => {
    const rule = { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] }
    const urls = { verbs: ['get'], nonResourceURLs: ['/metrics'] }
    const read = readRole('Role', { metadata: { name: 'x', namespace: 'n' }, rules: [rule, urls] })
    expect(read).to.deep.include({ namespace: 'n', uid: '', rules: [rule, urls] })
  })

  it('reads the selectors of an aggregated ClusterRole', () => {
    const selector = { matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] }
    const raw = { metadata: { name: 'x' }, aggregationRule: { clusterRoleSelectors: [selector] } }
    expect(readRole('ClusterRole', raw).aggregation).to.deep.equal([{ matchLabels: {}, ...selector }])
  })

  it('ignores a namespace that a ClusterRole cannot have', () => {
    expect(readRole('ClusterRole', { metadata: { name: 'x', namespace: 'n' } }).namespace).to.equal(null)
  })

  const unreadable: readonly (readonly [sentence: string, raw: unknown, reason: string])[] = [
    ['refuses what is no object', null, 'Role is not an object'],
    ['refuses a Role without a namespace', { metadata: { name: 'x' } }, 'metadata.namespace is not a string'],
    ['refuses a Role without a name', { metadata: { namespace: 'n' } }, 'metadata.name is not a string'],
    [
      'refuses a verb list that is a string, rather than to read its letters',
      { metadata: { name: 'x', namespace: 'n' }, rules: [{ verbs: '*' }] },
      'rules[].verbs is not a list',
    ],
    [
      'refuses a verb that is no string',
      { metadata: { name: 'x', namespace: 'n' }, rules: [{ verbs: [true] }] },
      'rules[].verbs[] is not a string',
    ],
  ]
  for (const [sentence, raw, reason] of unreadable) {
    it(sentence, () => expect(() => readRole('Role', raw)).to.throw(TypeError, reason))
  }
})

const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' }
const bindingWith = (subjects: unknown) =>
  readBinding('ClusterRoleBinding', { metadata: { name: 'x' }, roleRef, subjects })

describe('readBinding', () => {
  it('reads absent and null subjects as none', () => {
    expect(bindingWith(undefined)).to.deep.equal({
      namespace: null,
      name: 'x',
      uid: '',
      subjects: [],
      roleRef: { kind: 'ClusterRole', name: 'r' },
    })
    expect(bindingWith(null).subjects).to.deep.equal([])
  })

  it('keeps the namespace of a subject, where there is one', () => {
    const subjects = [
      { kind: 'ServiceAccount', name: 'a', namespace: 'n' },
      { kind: 'User', name: 'b', apiGroup: 'g' },
    ]
    const read = readBinding('RoleBinding', { metadata: { name: 'x', namespace: 'm' }, roleRef, subjects })
    expect(read.subjects).to.deep.equal([subjects[0], { kind: 'User', name: 'b' }])
  })

  it('refuses a binding without a role', () => {
    expect(() => readBinding('ClusterRoleBinding', { metadata: { name: 'x' } })).to.throw(
      TypeError,
      'roleRef is not an object',
    )
  })
})
