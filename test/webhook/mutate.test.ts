import { expect } from 'chai'
import type { PatchOperation } from '../../src/webhook/answer.ts'
import { mutate } from '../../src/webhook/mutate.ts'
import { grant, policy } from './objects.ts'
import { gist, judge, requestOf, worldOf, type RawObject, type RequestOptions } from './requests.ts'

const ana = 'ana@example.com'
const key = 'lapse.dev/applied-by'
const path = '/metadata/annotations/lapse.dev~1applied-by'

function patchOf(object: RawObject, options: RequestOptions = {}): readonly PatchOperation[] {
  const answer = judge(mutate, requestOf(object, options), worldOf())
  if (!answer.allowed) throw new Error(answer.message)
  return answer.patch
}

describe('mutate', () => {
  it('stamps the requester on a new grant', () => {
    expect(patchOf(grant({ requestedBy: undefined }))).to.deep.equal([
      { op: 'add', path: '/spec/requestedBy', value: ana },
    ])
  })

  it('replaces a requester that the grant claims', () => {
    expect(patchOf(grant({ requestedBy: 'root' }))).to.deep.equal([
      { op: 'add', path: '/spec/requestedBy', value: ana },
    ])
  })

  it('leaves a grant as it is when it is updated', () => {
    expect(patchOf(grant({ requestedBy: 'bob' }), { oldObject: grant({ requestedBy: 'bob' }) })).to.deep.equal([])
  })

  for (const spec of [undefined, null, 'text', []])
    it(`leaves a grant whose spec is ${JSON.stringify(spec)} for its schema to refuse`, () => {
      expect(patchOf({ ...grant(), spec })).to.deep.equal([])
    })

  it('stamps who says it on an approval, whatever it says, and has it go with its grant', () => {
    const spec = { grant: { name: 'g', uid: 'u' }, approver: 'eve' }
    const object = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrantApproval', metadata: { name: 'a' }, spec }
    const owner = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', name: 'g', uid: 'u' }
    expect(patchOf(object)).to.deep.equal([
      { op: 'add', path: '/spec/approver', value: ana },
      {
        op: 'add',
        path: '/metadata/ownerReferences',
        value: [{ ...owner, controller: false, blockOwnerDeletion: false }],
      },
    ])
    for (const named of [undefined, null, 'g', { name: 'g' }])
      expect(patchOf({ ...object, spec: { grant: named } })).to.deep.equal([
        { op: 'add', path: '/spec/approver', value: ana },
      ])
  })

  it('stamps who sets it on a suspension', () => {
    const object = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHISuspension', metadata: { name: 's' } }
    expect(patchOf({ ...object, spec: { setBy: 'eve' } })).to.deep.equal([
      { op: 'add', path: '/spec/setBy', value: ana },
    ])
    expect(patchOf(object)).to.deep.equal([])
  })

  const noted = (author: string) => ({ annotations: { [key]: author } })
  const authors: readonly (readonly [
    sentence: string,
    after: RawObject,
    before: RawObject | null,
    patch: readonly PatchOperation[],
  ])[] = [
    [
      'stamps the author on a new policy without annotations',
      policy(),
      null,
      [{ op: 'add', path: '/metadata/annotations', value: { [key]: ana } }],
    ],
    [
      'stamps the author beside other annotations',
      policy({}, { annotations: { a: 'b' } }),
      null,
      [{ op: 'add', path, value: ana }],
    ],
    ['replaces an author that a new policy claims', policy({}, noted('bob')), null, [{ op: 'add', path, value: ana }]],
    ['leaves the right author', policy({}, noted(ana)), null, []],
    [
      'stamps who changes the spec',
      policy({ version: '1.5.0' }, noted('bob')),
      policy({}, noted('bob')),
      [{ op: 'add', path, value: ana }],
    ],
    [
      'restores the author when the spec stays as it is',
      policy({}, noted('eve')),
      policy({}, noted('bob')),
      [{ op: 'add', path, value: 'bob' }],
    ],
    [
      'restores an author that was removed',
      policy(),
      policy({}, noted('bob')),
      [{ op: 'add', path: '/metadata/annotations', value: { [key]: 'bob' } }],
    ],
    ['removes an author where there was none', policy({}, noted('eve')), policy(), [{ op: 'remove', path }]],
    ['leaves a policy without an author when the spec stays as it is', policy(), policy(), []],
  ]
  for (const [sentence, after, before, patch] of authors)
    it(sentence, () => expect(patchOf(after, before === null ? {} : { oldObject: before })).to.deep.equal(patch))

  it('refuses a kind that it does not know', () => {
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', namespace: 'y' } }
    const answer = judge(mutate, requestOf(object), worldOf())
    expect(gist(answer)).to.equal('403 denied by lapse: this webhook does not know Pod: check its configuration')
  })

  it('has the same answer for a dry run', () => {
    expect(patchOf(grant(), { dryRun: true })).to.deep.equal(patchOf(grant()))
  })
})
