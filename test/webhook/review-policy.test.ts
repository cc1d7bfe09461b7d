import { expect } from 'chai'
import { reviewPolicy } from '../../src/webhook/review-policy.ts'
import { policy } from './objects.ts'
import { gist, judge, refusalOf, requestOf, worldOf, type RawObject, type RequestOptions } from './requests.ts'

const ana = 'ana@example.com'
const by = (author: string | null) => ({ annotations: author === null ? {} : { 'lapse.dev/applied-by': author } })
const stamped = (spec: Readonly<Record<string, unknown>> = {}, author: string | null = ana) => policy(spec, by(author))
const revision = (version: string, status: object = {}): RawObject => ({
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'AccessPolicyRevision',
  metadata: { name: `payments-deploy-${version}` },
  spec: { policyName: 'payments-deploy', digest: 'sha256:other', policy: { version } },
  status,
})

const review = (object: RawObject, options: RequestOptions = {}, world = worldOf()) =>
  judge(reviewPolicy, requestOf(object, options), world)

describe('reviewPolicy', () => {
  it('allows a new policy', () => expect(gist(review(stamped()))).to.equal('allowed'))

  it('allows a newer version', () => {
    expect(gist(review(stamped({ version: '1.5.0' }), { oldObject: stamped() }))).to.equal('allowed')
  })

  it('refuses a change whose version does not rise, and says by how much it must', () => {
    const answer = review(stamped({ version: '1.4.0', permissions: undefined, grants: undefined }), {
      oldObject: stamped(),
    })
    expect(refusalOf(answer)).to.equal(
      `denied by lapse: AccessPolicy payments-deploy cannot take the place of payments-deploy@1.4.0
  [version-not-rising] spec.version: the spec changed but its version went from 1.4.0 to 1.4.0
                       → raise spec.version above 1.4.0
owner: payments-platform <payments-oncall@example.com>`,
    )
  })

  it('refuses a new policy under a name whose record is newer', () => {
    const answer = review(stamped(), {}, worldOf(revision('2.0.0')))
    expect(gist(answer)).to.equal('403 denied by lapse: AccessPolicy payments-deploy cannot be accepted')
    expect(refusalOf(answer)).to.contain('version 2.0.0 of policy payments-deploy was accepted before')
  })

  it('refuses a review that is a year and more away', () => {
    const change = { ...(policy()['spec'] as { change: object }).change, expiresAt: '2099-01-01T00:00:00Z' }
    expect(refusalOf(review(stamped({ change })))).to.contain('[review-too-late] spec.change.expiresAt')
  })

  it('names every problem of a policy that does not parse', () => {
    const answer = review(stamped({ version: 'one', owner: {}, subjects: [] }))
    expect(gist(answer)).to.equal('422 denied by lapse: AccessPolicy payments-deploy is not valid')
    expect(refusalOf(answer))
      .to.contain('[invalid] spec.version: "one" does not have the expected form')
      .and.contain('[invalid] spec.owner.name: is required')
      .and.contain('[invalid] spec.subjects: must not be empty')
  })

  it('lets labels be written on a policy that has expired or no longer parses', () => {
    for (const spec of [{ version: 'one' }, { change: { expiresAt: '2020-01-01T00:00:00Z' } }])
      expect(gist(review(stamped(spec), { oldObject: stamped(spec), user: 'someone@example.com' }))).to.equal('allowed')
  })

  it('lets a policy that does not parse be mended', () => {
    expect(gist(review(stamped(), { oldObject: stamped({ version: 'one' }) }))).to.equal('allowed')
  })

  const forgeries: readonly (readonly [sentence: string, after: RawObject, before: RawObject | null, text: string])[] =
    [
      [
        'a new policy in another name',
        stamped({}, 'bob'),
        null,
        `must name ${ana}, who last changed the spec, not bob`,
      ],
      [
        'a new policy in no name',
        stamped({}, null),
        null,
        `must name ${ana}, who last changed the spec, but is not there`,
      ],
      [
        'a change in another name',
        stamped({ version: '1.5.0' }, 'bob'),
        stamped({}, 'bob'),
        `must name ${ana}, who last changed the spec, not bob`,
      ],
      [
        'another author for the same spec',
        stamped(),
        stamped({}, 'bob'),
        'must name bob, who last changed the spec, not ana@example.com',
      ],
      [
        'an author where nobody was on record',
        stamped(),
        stamped({}, null),
        'names ana@example.com, but nobody is on record',
      ],
    ]
  for (const [sentence, after, before, text] of forgeries)
    it(`refuses ${sentence}`, () => {
      const message = refusalOf(review(after, before === null ? {} : { oldObject: before }))
      expect(message).to.contain(`[author-forged] metadata.annotations["lapse.dev/applied-by"]: ${text}`)
    })

  it('stands in the way of no deletion', () => {
    expect(gist(review(policy(), { operation: 'DELETE' }))).to.equal('allowed')
  })
})
