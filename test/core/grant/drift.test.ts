import { expect } from 'chai'

import { differences, objectsOnRecord, type CarrierFacts } from '../../../src/core/grant/drift.ts'
import type { PermissionSet } from '../../../src/core/policy/policy.ts'

const api = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
const mallory = { kind: 'User', name: 'mallory' }
const owner = { uid: 'u-1', controller: true, blocks: false }
const issued: CarrierFacts = {
  subjects: [api],
  roleRef: { kind: 'ClusterRole', name: 'lapse-set-3' },
  rules: [],
  owners: [owner],
  labels: { 'lapse.dev/grant-uid': 'u-1' },
  notAfter: '2027-01-01T01:00:00.000Z',
}
const rollout = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }
const readPods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }

const bound = (set: string) => ({ kind: 'RoleBinding', name: `lapse-u-1-${set}` }) as const

describe('F11: drift of what carries a grant', () => {
  const table: Readonly<Record<string, readonly [Partial<CarrierFacts>, readonly string[]]>> = {
    'is none where all is as it was issued': [{}, []],
    'is none where somebody added a label of his own': [{ labels: { ...issued.labels, team: 'a' } }, []],
    'is a subject that was added': [{ subjects: [api, mallory] }, ['it named User mallory']],
    'is a subject that was taken away': [{ subjects: [] }, ['it did not name ServiceAccount payments/api']],
    'is an account of the same name in another namespace': [
      { subjects: [{ ...api, namespace: 'shop' }] },
      ['it named ServiceAccount shop/api', 'it did not name ServiceAccount payments/api'],
    ],
    'is another role': [
      { roleRef: { kind: 'ClusterRole', name: 'cluster-admin' } },
      ['it referred to ClusterRole cluster-admin'],
    ],
    'is a role of the same name and another kind': [
      { roleRef: { kind: 'Role', name: 'lapse-set-3' } },
      ['it referred to Role lapse-set-3'],
    ],
    'is a role where there was none': [{ rules: [rollout] }, ['it had other rules']],
    'is an owner more, for which the garbage collector would wait': [
      { owners: [owner, { ...owner, uid: 'u-2', controller: false }] },
      ['it had other owners'],
    ],
    'is an owner that blocks the deletion of its grant': [
      { owners: [{ ...owner, blocks: true }] },
      ['it had other owners'],
    ],
    'is an end that was moved': [{ notAfter: '2099-01-01T00:00:00Z' }, ['it had another end']],
    'is an end that was taken away': [{ notAfter: null }, ['it had another end']],
    'is a label that says another grant': [
      { labels: { 'lapse.dev/grant-uid': 'u-2' } },
      ['it had another label lapse.dev/grant-uid'],
    ],
  }
  for (const [sentence, [changed, expected]] of Object.entries(table))
    it(sentence, () => expect(differences(issued, { ...issued, ...changed })).to.deep.equal(expected))

  it('is none where the API server left out lists that are empty', () => {
    const role = { ...issued, roleRef: null, subjects: [] }
    const narrow = { ...rollout, resourceNames: [] }
    expect(differences({ ...role, rules: [narrow] }, { ...role, rules: [rollout] })).to.deep.equal([])
  })
})

describe('F11: the objects of a grant, worked out from its record', () => {
  const sets: readonly PermissionSet[] = [
    { kind: 'Rules', name: 'rollout', rules: [rollout] },
    { kind: 'Rules', name: 'read-pods', rules: [readPods] },
    { kind: 'ClusterRole', name: 'logs', clusterRole: 'view-logs' },
  ]
  const roles = new Map([['rollout', 'lapse-set-3']])
  const spec = { permissions: ['rollout', 'read-pods', 'logs'], rules: [] }
  const own = [
    { kind: 'Role', name: 'lapse-u-1' },
    { kind: 'RoleBinding', name: 'lapse-u-1' },
  ] as const
  const all = [rollout, readPods]

  it('are one binding per set that had a role, and a Role for the rest', () => {
    const objects = [bound('rollout'), bound('logs'), ...own]
    expect(objectsOnRecord({ objects, rules: all }, 'u-1', spec, { sets, roles })).to.deep.equal([
      { ...bound('rollout'), roleRef: { kind: 'ClusterRole', name: 'lapse-set-3' } },
      { ...bound('logs'), roleRef: { kind: 'ClusterRole', name: 'view-logs' } },
      { ...own[0], rules: [readPods] },
      { ...own[1], roleRef: { kind: 'Role', name: 'lapse-u-1' } },
    ])
  })

  it('are no more than the record names, though a role has come since', () => {
    const objects = objectsOnRecord({ objects: own, rules: all }, 'u-1', spec, { sets, roles })
    expect(objects).to.deep.equal([
      { ...own[0], rules: all },
      { ...own[1], roleRef: { kind: 'Role', name: 'lapse-u-1' } },
    ])
  })

  it('give no rule that was not granted', () => {
    const [role] = objectsOnRecord({ objects: own, rules: [readPods] }, 'u-1', spec, { sets, roles })
    expect(role).to.deep.equal({ ...own[0], rules: [readPods] })
  })

  it('are the narrower rules where there are such', () => {
    const narrow = { ...spec, rules: [rollout] }
    const [role] = objectsOnRecord({ objects: own, rules: [rollout] }, 'u-1', narrow, { sets, roles })
    expect(role).to.deep.equal({ ...own[0], rules: [rollout] })
  })

  it('leave out a name that stands for nothing any more', () => {
    const objects = [bound('gone'), bound('read-pods'), { kind: 'Role', name: 'another' } as const]
    expect(objectsOnRecord({ objects, rules: all }, 'u-1', spec, { sets, roles })).to.deep.equal([])
  })
})
