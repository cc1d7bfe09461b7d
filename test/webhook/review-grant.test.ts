import { expect } from 'chai'
import { reviewGrant } from '../../src/webhook/review-grant.ts'
import { WorldIndex, type WorldKind } from '../../src/world/world-index.ts'
import { grant, payments, policy } from './objects.ts'
import { gist, judge, refusalOf, requestOf, worldOf, type RawObject, type RequestOptions } from './requests.ts'

const world = worldOf(...payments, policy())
const lead = { groups: ['payments-leads', 'system:authenticated'] }

const review = (object: RawObject, options: RequestOptions = lead, within = world) =>
  judge(reviewGrant, requestOf(object, options), within)

/** The same world, of an operator that issues credentials there. */
function withCredentialsIn(...credentialNamespaces: readonly string[]): WorldIndex {
  const known = new WorldIndex({ credentialNamespaces: new Set(credentialNamespaces) })
  for (const object of [...payments, policy()]) known.put(object.kind as WorldKind, object)
  return known
}

describe('reviewGrant', () => {
  it('allows what the policy gives', () => {
    expect(review(grant())).to.deep.include({ allowed: true, warnings: [], patch: [] })
  })

  it('says every finding, its field, the policy version and its owner', () => {
    expect(refusalOf(review(grant({ duration: '5h', permissions: ['rollout', 'root'] }), {}))).to.equal(
      `denied by lapse: NHIGrant payments/rollout-2041 asks for more than policy payments-deploy@1.4.0 allows
  [requester-not-allowed] spec.requestedBy: policy payments-deploy@1.4.0 does not let ana@example.com ask for ServiceAccount payments/api
                          → allowed to ask: the subject itself, Group payments-leads
  [duration-too-long]     spec.duration: 5h is longer than the 1h that the policy allows
                          → ask for at most 1h
  [permission-unknown]    spec.permissions[1]: policy payments-deploy@1.4.0 has no permission root
                          → it has: rollout
owner: payments-platform <payments-oncall@example.com>`,
    )
  })

  const refusals: readonly (readonly [sentence: string, spec: Readonly<Record<string, unknown>>, text: string])[] = [
    [
      'rules beyond the ceiling',
      { rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'delete'] }] },
      '[beyond-ceiling] spec.rules[0]: beyond what the named permissions of payments-deploy@1.4.0 allow: delete deployments.apps',
    ],
    [
      'a subject that the policy does not govern',
      { subject: { kind: 'User', name: 'ci:other' } },
      '[subject-not-governed] spec.subject: policy payments-deploy@1.4.0 does not govern User ci:other',
    ],
    [
      'a policy version that is not active',
      { policy: { name: 'payments-deploy', version: '1.3.0' } },
      '[policy-version] spec.policy.version: version 1.3.0 is not active; active is 1.4.0',
    ],
    [
      'a policy that is not there',
      { policy: { name: 'other' } },
      '[policy-missing] spec.policy.name: there is no policy other',
    ],
    [
      'a forged requester',
      { requestedBy: 'system:serviceaccount:payments:api' },
      '[requester-forged] spec.requestedBy: must be ana@example.com, who creates the grant, not system:serviceaccount:payments:api',
    ],
    [
      'a requester that was not stamped',
      { requestedBy: undefined },
      '[requester-forged] spec.requestedBy: must be ana@example.com, who creates the grant, but is not there',
    ],
  ]
  for (const [sentence, spec, text] of refusals)
    it(`refuses ${sentence}`, () => {
      const answer = review(grant(spec))
      expect(refusalOf(answer).replaceAll(/ +/g, ' ')).to.contain(text)
      expect(answer).to.include({ code: 403 })
    })

  it('says of a credential what the controller would say: it knows by the same option where there are any', () => {
    const asked = grant({ credential: { secretName: 'token' } })
    expect(gist(review(asked, lead, withCredentialsIn('payments')))).to.equal('allowed')
    expect(refusalOf(review(asked, lead, withCredentialsIn('ci')))).to.contain(
      '[credential-namespace] spec.credential: the operator issues no credentials in namespace payments',
    )
  })

  it('refuses the subject under a spelling that is not its own', () => {
    const subject = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
    const user = 'system:serviceaccount:payments:API'
    expect(refusalOf(review(grant({ subject, requestedBy: user }), { user, groups: [] }))).to.contain(
      '[requester-not-allowed]',
    )
  })

  it('lets the subject ask for itself', () => {
    const user = 'system:serviceaccount:payments:api'
    expect(gist(review(grant({ requestedBy: user }), { user }))).to.equal('allowed')
  })

  it('names every problem of a grant that does not parse', () => {
    const answer = review(grant({ duration: '-3m', reason: undefined, permissions: [], unknown: true }))
    expect(gist(answer)).to.equal('422 denied by lapse: NHIGrant payments/rollout-2041 is not valid')
    expect(refusalOf(answer))
      .to.contain('[invalid] spec.unknown: is not a known field')
      .and.contain('[invalid] spec.permissions: must not be empty')
      .and.contain('[invalid] spec.duration: "-3m" does not have the expected form')
      .and.contain('[invalid] spec.reason: is required')
      .and.contain('kubectl explain nhigrant')
  })

  const trackers: readonly (readonly [tool: string, metadata: Readonly<Record<string, unknown>>])[] = [
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }],
    ['Argo CD, by label', { labels: { 'argocd.argoproj.io/instance': 'x' } }],
    ["Flux's kustomize-controller", { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }],
    ["Flux's helm-controller", { labels: { 'helm.toolkit.fluxcd.io/name': 'x' } }],
  ]
  for (const [tool, metadata] of trackers) {
    it(`warns of a grant with a duration that ${tool} would create again`, () => {
      const answer = review(grant({}, metadata))
      expect(answer.allowed).to.equal(true)
      expect(answer.warnings).to.have.length(1)
      expect(answer.warnings[0]).to.contain('created again').and.contain('notAfter')
      expect(answer.warnings[0]?.length).to.be.at.most(256)
    })
    it(`does not warn of a grant with an end that ${tool} tracks`, () => {
      const spec = { duration: undefined, notAfter: '2026-06-01T12:30:00Z' }
      expect(review(grant(spec, metadata))).to.deep.include({ allowed: true, warnings: [] })
    })
  }

  const unsettled: readonly (readonly [sentence: string, object: RawObject, references: readonly unknown[]])[] = [
    ['the policy', grant({ policy: { name: 'other' } }), [{ kind: 'AccessPolicy', namespace: '', name: 'other' }]],
    [
      'a newer version of the policy',
      grant({ policy: { name: 'payments-deploy', version: '1.5.0' } }),
      [{ kind: 'AccessPolicy', namespace: '', name: 'payments-deploy' }],
    ],
    [
      'the subject',
      grant({ subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'new' } }),
      [{ kind: 'ServiceAccount', namespace: 'payments', name: 'new' }],
    ],
    [
      'the subject, spelt out as a user',
      grant({ subject: { kind: 'User', name: 'system:serviceaccount:payments:new' } }),
      [{ kind: 'ServiceAccount', namespace: 'payments', name: 'new' }],
    ],
    ['the namespace', grant({}, { namespace: 'new' }), [{ kind: 'Namespace', namespace: '', name: 'new' }]],
    [
      'nothing, for an older version of the policy',
      grant({ policy: { name: 'payments-deploy', version: '1.3.0' } }),
      [],
    ],
  ]
  for (const [sentence, object, references] of unsettled)
    it(`waits for ${sentence}`, () => expect(review(object).unsettled).to.deep.equal(references))

  describe('on update', () => {
    const live = grant()
    const update = (after: RawObject, before = live) =>
      review(after, { oldObject: before, user: 'someone@example.com' })

    it('lets labels and finalizers be written, also on a grant that no longer parses', () => {
      expect(gist(update(grant({}, { labels: { a: 'b' } })))).to.equal('allowed')
      expect(gist(update(grant({ old: true }, { finalizers: [] }), grant({ old: true })))).to.equal('allowed')
    })

    it('lets anyone who may update it revoke it, also when it no longer parses', () => {
      expect(gist(update(grant({ revoke: { reason: 'leaked' } })))).to.equal('allowed')
      expect(gist(update(grant({ old: true, revoke: { reason: 'leaked' } }), grant({ old: true })))).to.equal('allowed')
    })

    const refused: readonly (readonly [sentence: string, after: RawObject, before: RawObject, text: string])[] = [
      ['a longer duration', grant({ duration: '45m' }), live, '[grant-immutable] spec.duration: is immutable'],
      ['a field that was not there', grant({ ticket: 'T-1' }), live, '[grant-immutable] spec.ticket: is immutable'],
      ['a field that is gone', live, grant({ ticket: 'T-1' }), '[grant-immutable] spec.ticket: is immutable'],
      ['another requester', grant({ requestedBy: 'x' }), live, '[grant-immutable] spec.requestedBy: is immutable'],
      [
        'a revocation that is taken back',
        live,
        grant({ revoke: { reason: 'leaked' } }),
        '[grant-immutable] spec.revoke: may be set once and never taken back',
      ],
      [
        'a revocation with another reason',
        grant({ revoke: { reason: 'other' } }),
        grant({ revoke: { reason: 'leaked' } }),
        '[grant-immutable] spec.revoke: may be set once and never taken back',
      ],
      [
        'a change that comes with a revocation',
        grant({ duration: '45m', revoke: { reason: 'leaked' } }),
        live,
        '[grant-immutable] spec.duration: is immutable',
      ],
      ['a revocation without a reason', grant({ revoke: {} }), live, '[invalid] spec.revoke.reason: is required'],
    ]
    for (const [sentence, after, before, text] of refused)
      it(`refuses ${sentence}`, () => expect(refusalOf(update(after, before))).to.contain(text))
  })

  it('stands in the way of no deletion', () => {
    expect(gist(review(grant(), { operation: 'DELETE' }))).to.equal('allowed')
  })

  it('has the same answer for a dry run', () => {
    expect(review(grant(), { ...lead, dryRun: true })).to.deep.equal(review(grant()))
  })
})
