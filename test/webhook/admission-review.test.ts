import { expect } from 'chai'
import { readAdmissionReview } from '../../src/webhook/admission-review.ts'
import { deployment } from './objects.ts'
import { reviewOf } from './requests.ts'

const { request, ...review } = reviewOf(deployment())
const { uid } = request
const withRequest = (changes: object) => ({ ...review, request: { ...request, ...changes } })

/** B18: what is no AdmissionReview must be answered too, and by a no. */
const malformed: readonly (readonly [sentence: string, body: unknown, uid: string | null, message: string])[] = [
  ['nothing', undefined, null, 'the body is no object'],
  ['null', null, null, 'the body is no object'],
  ['a list', [withRequest({})], null, 'the body is no object'],
  ['a text', 'AdmissionReview', null, 'the body is no object'],
  ['an object without a request', review, null, 'the body has no request'],
  ['a request of null', { ...review, request: null }, null, 'the body has no request'],
  ['a request that is a list', { ...review, request: [request] }, null, 'the body has no request'],
  ['a request without uid', withRequest({ uid: undefined }), null, 'request.uid is missing'],
  ['an empty uid', withRequest({ uid: '' }), null, 'request.uid is missing'],
  ['a uid that is a number', withRequest({ uid: 7 }), null, 'request.uid is missing'],
  [
    'the version that went before',
    { ...withRequest({}), apiVersion: 'admission.k8s.io/v1beta1' },
    uid,
    'the body is no AdmissionReview of admission.k8s.io/v1',
  ],
  [
    'another kind',
    { ...withRequest({}), kind: 'TokenReview' },
    uid,
    'the body is no AdmissionReview of admission.k8s.io/v1',
  ],
  ['no kind of object', withRequest({ kind: undefined }), uid, 'request.kind: expected an object, found nothing'],
  [
    'a kind of object that is text',
    withRequest({ kind: 'Pod' }),
    uid,
    'request.kind: expected an object, found a string',
  ],
  [
    'a kind without its name',
    withRequest({ kind: { group: 'apps' } }),
    uid,
    'request.kind.kind: expected a string, found nothing',
  ],
  ['no operation', withRequest({ operation: undefined }), uid, 'request.operation: expected a string, found nothing'],
  [
    'an operation that does not exist',
    withRequest({ operation: 'create' }),
    uid,
    'request.operation: must be one of CREATE, UPDATE, DELETE, CONNECT',
  ],
  ['no user', withRequest({ userInfo: undefined }), uid, 'request.userInfo: expected an object, found nothing'],
  [
    'a user without a name',
    withRequest({ userInfo: {} }),
    uid,
    'request.userInfo.username: expected a string, found nothing',
  ],
  [
    'groups that are no list',
    withRequest({ userInfo: { username: 'a', groups: 'b' } }),
    uid,
    'request.userInfo.groups: expected a list, found a string',
  ],
  [
    'a group that is no text',
    withRequest({ userInfo: { username: 'a', groups: [1] } }),
    uid,
    'request.userInfo.groups[0]: expected a string, found a number',
  ],
  [
    'a namespace that is no text',
    withRequest({ namespace: {} }),
    uid,
    'request.namespace: expected a string, found an object',
  ],
  [
    'a subresource that is no text',
    withRequest({ subResource: 1 }),
    uid,
    'request.subResource: expected a string, found a number',
  ],
  ['an object that is a list', withRequest({ object: [] }), uid, 'request.object: expected an object, found a list'],
  ['a creation without its object', withRequest({ object: null }), uid, 'request.object: is missing'],
  [
    'an update without its object',
    withRequest({ operation: 'UPDATE', object: undefined }),
    uid,
    'request.object: is missing',
  ],
  ['an update without the object before', withRequest({ operation: 'UPDATE' }), uid, 'request.oldObject: is missing'],
  [
    'an object of another kind than it says',
    withRequest({ kind: { group: 'apps', version: 'v1', kind: 'DaemonSet' } }),
    uid,
    'request.object: is of another kind than request.kind',
  ],
  [
    'an object of another group than it says',
    withRequest({ kind: { group: 'app', version: 'v1', kind: 'Deployment' } }),
    uid,
    'request.object: is of another kind than request.kind',
  ],
  [
    'an object of a group where it says core',
    withRequest({ kind: { group: '', version: 'v1', kind: 'Deployment' } }),
    uid,
    'request.object: is of another kind than request.kind',
  ],
  [
    'an object without apiVersion',
    withRequest({ object: { kind: 'Deployment' } }),
    uid,
    'request.object: is of another kind than request.kind',
  ],
]

describe('readAdmissionReview', () => {
  for (const [sentence, body, expectedUid, message] of malformed)
    it(`does not take ${sentence} for a review`, () => {
      expect(readAdmissionReview(body)).to.deep.equal({ ok: false, uid: expectedUid, message })
    })

  it('reads what the API server sends', () => {
    expect(readAdmissionReview(withRequest({}))).to.deep.equal({
      ok: true,
      request: {
        uid,
        group: 'apps',
        kind: 'Deployment',
        subResource: '',
        operation: 'CREATE',
        namespace: 'payments',
        name: 'api',
        user: { username: 'ana@example.com', groups: ['system:authenticated'] },
        object: deployment(),
        oldObject: null,
      },
    })
  })

  it('takes a user without groups for one who is in none', () => {
    const reading = readAdmissionReview(withRequest({ userInfo: { username: 'a' } }))
    expect(reading).to.have.nested.property('request.user.groups').that.deep.equals([])
  })
})
