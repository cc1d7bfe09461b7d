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

describe('reviewSuspension', () => {
  const ends = (name: string, subject: string) => `ends grant payments/${name} of ${subject} under payments-deploy`
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

  it('lets it be lifted, by anybody whom RBAC lets', () => {
    expect(gist(ask(suspension(api), { operation: 'DELETE', user: 'eve' }))).to.equal('allowed')
    expect(gist(ask(suspension(api), { operation: 'DELETE', user: operatorUser }))).to.equal('allowed')
  })
})
