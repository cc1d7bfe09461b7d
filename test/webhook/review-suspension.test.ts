import { expect } from 'chai'
import { reviewSuspension } from '../../src/webhook/review-suspension.ts'
import { grant, payments, policy } from './objects.ts'
import {
  gist,
  judge,
  operatorUser,
  refusalOf,
  requestOf,
  worldOf,
  type RawObject,
  type RequestOptions,
} from './requests.ts'

const active = (name: string, subject: object): RawObject => ({
  ...grant({ subject }, { name, uid: `uid of ${name}` }),
  status: { state: 'Active' },
})
const api = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
const world = worldOf(
  ...payments,
  policy(),
  active('one', api),
  active('two', { kind: 'User', name: 'system:serviceaccount:payments:api' }),
  active('three', { kind: 'Group', name: 'robots' }),
  { ...grant({ subject: api }, { name: 'four', uid: 'uid of four' }), status: { state: 'Expired' } },
)

function suspension(subject: object, spec: object = {}, metadata: object = {}): RawObject {
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHISuspension',
    metadata: { name: 's', ...metadata },
    spec: { subject, reason: 'its key leaked', setBy: 'ana@example.com', ...spec },
  }
}

const ask = (object: RawObject, options: RequestOptions = {}) =>
  judge(reviewSuspension, requestOf(object, options), world)

const ends = (name: string, subject: string) => `ends grant payments/${name} of ${subject} under payments-deploy`

describe('reviewSuspension', () => {
  const own = [ends('one', 'ServiceAccount payments/api'), ends('two', 'ServiceAccount payments/api')]
  const table: readonly (readonly [sentence: string, subject: object, warnings: readonly string[]])[] = [
    ['a ServiceAccount, however the grants spell it', api, own],
    [
      'a ServiceAccount that is spelled as a User',
      { kind: 'User', name: 'system:serviceaccount:payments:api' },
      own.map((text) => text.replace('ServiceAccount payments/api', 'User system:serviceaccount:payments:api')),
    ],
    ['a Group', { kind: 'Group', name: 'robots' }, [ends('three', 'Group robots')]],
    ['who has no grants', { kind: 'User', name: 'eve' }, []],
  ]
  for (const [sentence, subject, warnings] of table)
    it(`says which grants it ends of ${sentence}`, () =>
      expect(ask(suspension(subject))).to.deep.include({ allowed: true, warnings }))

  it('says that suspending the operator stops nothing', () => {
    const [warning] = ask(
      suspension({ kind: 'ServiceAccount', namespace: 'lapse-system', name: 'lapse-controller' }),
    ).warnings
    expect(warning).to.contain('the operator itself has no grants').and.contain('this stops nothing')
  })

  it('refuses another setter than who sets it, and none', () => {
    expect(refusalOf(ask(suspension(api, { setBy: 'eve' })))).to.contain(
      '[suspension-forged] spec.setBy: must be ana@example.com, who sets it, not eve',
    )
    expect(refusalOf(ask(suspension(api, { setBy: undefined })))).to.contain('but is not there')
  })

  it('refuses a ServiceAccount without a namespace', () => {
    expect(gist(ask(suspension({ kind: 'ServiceAccount', name: 'api' })))).to.contain('422')
  })

  it('refuses another spec, and allows labels', () => {
    const oldObject = suspension(api)
    expect(refusalOf(ask(suspension(api, { reason: 'other' }), { oldObject }))).to.contain('[suspension-immutable]')
    expect(gist(ask(suspension(api, {}, { labels: { a: 'b' } }), { oldObject }))).to.equal('allowed')
  })

  const account = 'system:serviceaccount:payments:api'
  const robots = { kind: 'Group', name: 'robots' }
  const meant: readonly (readonly [sentence: string, subject: object, options: RequestOptions, expected: string])[] = [
    ['is lifted by nobody whom it names', api, { user: account }, 'refused'],
    ['is not lifted by whom it spells as a User', { kind: 'User', name: account }, { user: account }, 'refused'],
    ['is not lifted by a member of the Group', robots, { user: 'r2', groups: ['robots'] }, 'refused'],
    ['of a Group is lifted by a cluster admin', robots, { groups: ['robots', 'system:masters'] }, 'allowed'],
    ['is lifted by another account of the namespace', api, { user: `${account}2` }, 'allowed'],
    ['of a User is lifted by whom a Group is called like', { kind: 'User', name: 'x' }, { groups: ['x'] }, 'allowed'],
  ]
  for (const [sentence, subject, options, expected] of meant)
    it(sentence, () => {
      const owned = suspension(subject, {}, { ownerReferences: [{ kind: 'ConfigMap', name: 'gone' }] })
      for (const answer of [
        ask(suspension(subject), { ...options, operation: 'DELETE' }),
        ask(owned, { ...options, oldObject: suspension(subject) }),
      ])
        if (expected === 'allowed') expect(gist(answer)).to.equal('allowed')
        else
          expect(refusalOf(answer))
            .to.contain('is not for its own subject')
            .and.contain('[suspension-own] spec.subject')
    })

  it('can be lifted when it cannot be read', () => {
    const broken = suspension({ kind: 'Robot', name: 'api' })
    expect(gist(ask(broken, { operation: 'DELETE', user: 'api' }))).to.equal('allowed')
  })

  it('lets it be lifted, by anybody whom RBAC lets', () => {
    expect(gist(ask(suspension(api), { operation: 'DELETE', user: 'eve' }))).to.equal('allowed')
    expect(gist(ask(suspension(api), { operation: 'DELETE', user: operatorUser }))).to.equal('allowed')
  })
})
