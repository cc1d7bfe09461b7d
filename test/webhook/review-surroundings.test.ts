import { expect } from 'chai'
import { webhooks } from '../../src/webhook/webhooks.ts'
import { namespace, policy } from './objects.ts'
import { gist, judge, refusalOf, requestOf, worldOf, type RawObject, type RequestOptions } from './requests.ts'

const { review } = webhooks.get('/v1/admit/cluster')!
const world = worldOf(policy())
const ask = (object: RawObject, options: RequestOptions = {}) => judge(review, requestOf(object, options), world)

const definition = (group: string, fields: object = {}): RawObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `nhigrants.${group}`, ...fields },
  spec: { group },
})

describe('the review of namespaces', () => {
  const selected = namespace('payments', { team: 'payments' })

  it('warns whoever takes a namespace out of a policy, and puts it on record', () => {
    const answer = ask(namespace('payments'), { oldObject: selected })
    const governs =
      'policy payments-deploy@1.4.0 no longer governs ServiceAccounts of namespace payments (spec.subjects[0])'
    const scope = 'policy payments-deploy@1.4.0 no longer lets grants apply in namespace payments (spec.scope)'
    expect(answer).to.deep.include({ allowed: true, warnings: [governs, scope] })
    expect(answer.auditAnnotations).to.deep.equal({
      policies: 'payments-deploy@1.4.0',
      selection: `${governs}; ${scope}`,
    })
  })

  it('puts on record what begins, and warns of nothing', () => {
    const answer = ask(selected, { oldObject: namespace('payments') })
    expect(answer).to.deep.include({ allowed: true, warnings: [] })
    expect(answer.auditAnnotations['selection']).to.contain('from now on governs ServiceAccounts of namespace payments')
  })

  it('has nothing to say of labels that no policy looks at, nor of a new or a deleted namespace', () => {
    const other = namespace('payments', { team: 'payments', a: 'b' })
    for (const answer of [ask(other, { oldObject: selected }), ask(selected), ask(selected, { operation: 'DELETE' })])
      expect(answer).to.deep.include({ allowed: true, warnings: [], auditAnnotations: {} })
  })
})

describe('the review of definitions', () => {
  const ours = definition('lapse.dev')

  for (const [what, options] of [
    ['a change', { oldObject: ours }],
    ['a change of the status', { oldObject: ours, subResource: 'status' }],
    ['a deletion', { operation: 'DELETE' }],
    ['a change that hides the group', { oldObject: definition('lapse.dev', { labels: { a: 'b' } }) }],
  ] as const)
    it(`refuses ${what} of ours, and says who may`, () => {
      const object = what.includes('hides') ? definition('other.example.com') : ours
      const message = refusalOf(ask(object, options))
      expect(message).to.contain('may not be written by ana@example.com').and.contain('[definition-guarded]')
      expect(message).to.contain('crds.changedBy')
    })

  it('lets cluster admins change and delete ours, and anybody those of others', () => {
    const groups = ['system:masters']
    const other = definition('other.example.com')
    for (const answer of [
      ask(ours, { oldObject: ours, groups }),
      ask(ours, { operation: 'DELETE', groups }),
      ask(other, { oldObject: other }),
      ask(other, { operation: 'DELETE' }),
    ])
      expect(gist(answer)).to.equal('allowed')
  })
})
