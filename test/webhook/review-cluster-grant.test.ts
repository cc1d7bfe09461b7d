import { expect } from 'chai'
import type { Answer } from '../../src/webhook/answer.ts'
import { webhooks } from '../../src/webhook/webhooks.ts'
import { WorldIndex, type WorldKind } from '../../src/world/world-index.ts'
import { grant, payments, policy } from './objects.ts'
import { judge, operatorUser, refusalOf, requestOf, type RawObject, type RequestOptions } from './requests.ts'

const lead = { groups: ['payments-leads', 'system:authenticated'] }
const selector = { namespaceSelector: { matchLabels: { team: 'payments' } } }
const widePolicy = policy({ scope: { ...selector, cluster: true } })
const uid = 'uid-1'

/** The same grant for the whole cluster. */
function wideGrant(fields: Readonly<Record<string, unknown>> = {}, status?: object): RawObject {
  const { metadata, ...object } = grant(fields)
  const { namespace: _, ...rest } = metadata
  return { ...object, kind: 'ClusterNHIGrant', metadata: { ...rest, uid }, ...(status && { status }) }
}

function worldWith(enabled: boolean, ...objects: readonly RawObject[]): WorldIndex {
  const world = new WorldIndex({ clusterGrants: { enabled, approvalNamespace: 'lapse-system' } })
  for (const object of [...payments, ...objects]) world.put(object.kind as WorldKind, object)
  return world
}

const ask = (path: string, object: RawObject, world: WorldIndex, options: RequestOptions = lead): Answer =>
  judge(webhooks.get(path)!.review, requestOf(object, options), world)
const review = (object: RawObject, world: WorldIndex, options?: RequestOptions): Answer =>
  ask('/v1/admit/lapse', object, world, options)

describe('the review of a ClusterNHIGrant', () => {
  it('allows what the policy gives to the whole cluster', () => {
    expect(review(wideGrant(), worldWith(true, widePolicy))).to.deep.include({ allowed: true, warnings: [] })
  })

  const refusals: readonly (readonly [sentence: string, grant: RawObject, world: WorldIndex, text: string])[] = [
    [
      'where the operator gives none',
      wideGrant(),
      worldWith(false, widePolicy),
      '[cluster-grants-off] kind: the operator gives no access to the whole cluster',
    ],
    [
      'under a policy for namespaces only',
      wideGrant(),
      worldWith(true, policy({ scope: selector })),
      '[cluster-scope-not-allowed] kind: policy payments-deploy@1.4.0 gives no access to the whole cluster',
    ],
    [
      'with what lives in a namespace: a waiver',
      wideGrant({ waive: ['host-path'] }),
      worldWith(true, widePolicy),
      '[invalid] spec.waive: is not a known field',
    ],
    [
      'with a forged requester',
      wideGrant({ requestedBy: 'root' }),
      worldWith(true, widePolicy),
      '[requester-forged] spec.requestedBy',
    ],
  ]
  for (const [sentence, object, world, text] of refusals)
    it(`refuses one ${sentence}`, () => {
      const message = refusalOf(review(object, world))
      expect(message.replaceAll(/ +/g, ' ')).to.contain(text).and.contain('ClusterNHIGrant rollout-2041')
    })

  it('lets nothing but a revocation be added to it', () => {
    const world = worldWith(true, widePolicy)
    const change = (fields: object): Answer =>
      review(wideGrant({ ...fields }), world, { ...lead, oldObject: wideGrant() })
    expect(refusalOf(change({ duration: '2h' }))).to.contain('[grant-immutable] spec.duration')
    expect(change({ revoke: { reason: 'enough' } }).allowed).to.equal(true)
  })

  it('lets nobody but the operator write its status', () => {
    const options = { subResource: 'status', oldObject: wideGrant() }
    expect(refusalOf(review(wideGrant(), worldWith(true), options))).to.contain('to end a grant set spec.revoke')
    expect(review(wideGrant(), worldWith(true), { ...options, user: operatorUser }).allowed).to.equal(true)
  })

  it('stamps who asks', () => {
    const answer = ask('/v1/mutate', wideGrant({ requestedBy: 'root' }), worldWith(true))
    expect(answer.allowed && answer.patch).to.deep.equal([
      { op: 'add', path: '/spec/requestedBy', value: 'ana@example.com' },
    ])
  })
})

describe('the review of what is said of a ClusterNHIGrant', () => {
  const waiting = wideGrant({}, { state: 'AwaitingApproval' })
  const say = (namespace: string): string =>
    refusalOf(
      review(
        {
          apiVersion: 'lapse.dev/v1alpha1',
          kind: 'NHIGrantApproval',
          metadata: { namespace, name: 'a' },
          spec: {
            grant: { kind: 'ClusterNHIGrant', name: 'rollout-2041', uid },
            grantDigest: 'sha256:other',
            decision: 'Approve',
            reason: 'looked at it',
            approver: 'ana@example.com',
          },
        },
        worldWith(true, widePolicy, waiting),
      ),
    )

  it('refuses it in every namespace but that of the operator', () => {
    expect(say('payments').replaceAll(/ +/g, ' ')).to.contain(
      '[approval-misplaced] metadata.namespace: what is said of a ClusterNHIGrant counts in namespace lapse-system only',
    )
    expect(say('lapse-system')).to.contain('[approval-outdated]').and.not.contain('[approval-misplaced]')
  })
})
