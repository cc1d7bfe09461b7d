import { expect } from 'chai'
import type { Change, EventNote, KubeObject } from '../../../src/cluster/ports.ts'
import {
  parseExpectedWebhooks,
  WebhookGuard,
  type ConfigurationKind,
} from '../../../src/controllers/webhook-configuration/guard.ts'
import { readWebhooks } from '../../../src/controllers/webhook-configuration/configured-webhook.ts'
import { weaknesses } from '../../../src/controllers/webhook-configuration/weaknesses.ts'
import { silentLog } from '../../../src/runtime/log.ts'

const rule = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['pods', 'pods/ephemeralcontainers'],
  scope: 'Namespaced',
}
const webhook = {
  name: 'workloads.lapse.dev',
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  timeoutSeconds: 5,
  rules: [rule],
  matchConditions: [{ name: 'not-the-operator', expression: 'a' }],
  namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['kube-system'] }] },
  clientConfig: {
    caBundle: 'QQ==',
    service: { namespace: 'lapse-system', name: 'lapse-webhook', path: '/v1', port: 443 },
  },
}
const compare = (live: readonly object[]): readonly string[] => weaknesses(readWebhooks([webhook]), readWebhooks(live))

describe('weaknesses of a webhook configuration', () => {
  const { service } = webhook.clientConfig
  const weak: readonly (readonly [sentence: string, live: object, says: string])[] = [
    ['a failure policy that lets through', { failurePolicy: 'Ignore' }, 'lets through what it cannot judge'],
    ['one version of many', { matchPolicy: 'Exact' }, 'misses other API versions'],
    ['less time', { timeoutSeconds: 1 }, 'waits 1 s only'],
    ['no rules', { rules: [] }, 'is not asked about CREATE pods'],
    ['an operation less', { rules: [{ ...rule, operations: ['CREATE'] }] }, 'is not asked about UPDATE pods'],
    [
      'a subresource less, which a star is not',
      { rules: [{ ...rule, resources: ['*'] }] },
      'is not asked about CREATE pods/ephemeralcontainers',
    ],
    ['another scope', { rules: [{ ...rule, scope: 'Cluster' }] }, 'is not asked about CREATE pods'],
    [
      'a selector that leaves more out',
      { namespaceSelector: { matchLabels: { a: 'b' } } },
      'has another namespaceSelector',
    ],
    ['a selector of objects', { objectSelector: { matchLabels: { a: 'b' } } }, 'has another objectSelector'],
    [
      'a condition more',
      { matchConditions: [...webhook.matchConditions, { name: 'b', expression: 'c' }] },
      'has another matchCondition b',
    ],
    [
      'a condition of the same name',
      { matchConditions: [{ name: 'not-the-operator', expression: 'false' }] },
      'has another matchCondition not-the-operator',
    ],
    [
      'another Service',
      { clientConfig: { caBundle: 'QQ==', service: { ...service, name: 'yes' } } },
      'asks lapse-system/yes:443/v1',
    ],
    ['a URL', { clientConfig: { caBundle: 'QQ==', url: 'https://x' } }, 'asks https://x'],
    ['no CA', { clientConfig: { service } }, 'has no caBundle'],
  ]
  for (const [sentence, live, says] of weak)
    it(`are told: ${sentence}`, () =>
      expect(compare([{ ...webhook, ...live }])).to.include(`workloads.lapse.dev ${says}`))

  it('are told: a webhook that is gone', () => expect(compare([])).to.deep.equal(['workloads.lapse.dev is gone']))

  const strong: readonly (readonly [sentence: string, live: object])[] = [
    ['as it must be', {}],
    ['with more rules', { rules: [rule, { ...rule, apiGroups: ['apps'] }] }],
    ['with every subresource', { rules: [{ ...rule, resources: ['*/*'], scope: '*', apiVersions: ['*'] }] }],
    [
      'in two rules in place of one',
      {
        rules: [
          { ...rule, operations: ['CREATE'] },
          { ...rule, operations: ['UPDATE'] },
        ],
      },
    ],
    ['with fewer conditions', { matchConditions: [] }],
    ['with more time', { timeoutSeconds: 10 }],
    ['with another CA', { clientConfig: { ...webhook.clientConfig, caBundle: 'Qg==' } }],
  ]
  for (const [sentence, live] of strong)
    it(`are none in one ${sentence}`, () => expect(compare([{ ...webhook, ...live }])).to.deep.equal([]))
})

describe('WebhookGuard', () => {
  const kinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const

  function guardOf({ hasSynced = true, expected = [webhook] as readonly object[] | null } = {}) {
    const handlers: ((change: Change<KubeObject>) => void)[] = []
    const objects = new Map<ConfigurationKind, KubeObject>()
    const notes: EventNote[] = []
    const state = { leads: true }
    const cacheOf = (kind: ConfigurationKind) => ({
      get: () => objects.get(kind) ?? null,
      list: () => [...objects.values()],
      hasSynced,
      subscribe: (handler: (change: Change<KubeObject>) => void) => void handlers.push(handler),
    })
    const read = expected === null ? null : readWebhooks(expected)
    const guard = new WebhookGuard({
      caches: {
        ValidatingWebhookConfiguration: cacheOf('ValidatingWebhookConfiguration'),
        MutatingWebhookConfiguration: cacheOf('MutatingWebhookConfiguration'),
      },
      expected: { ValidatingWebhookConfiguration: read, MutatingWebhookConfiguration: read },
      events: { record: (note) => void notes.push(note) },
      log: silentLog,
      leads: () => state.leads,
    })
    const put = (kind: ConfigurationKind, webhooks: readonly object[] | null): void => {
      const metadata = { name: 'lapse', uid: 'u', resourceVersion: '1' }
      if (webhooks === null) objects.delete(kind)
      else objects.set(kind, { metadata, webhooks })
      for (const handler of handlers) handler({ key: { namespace: '', name: 'lapse' }, before: null, after: null })
    }
    const gists = () => notes.map(({ reason, regarding, note }) => `${reason} ${regarding.kind}: ${note}`)
    return { guard, put, gists, state }
  }
  const ignoring = [{ ...webhook, failurePolicy: 'Ignore' }]

  it('says once that one is weakened, and once that it is restored', () => {
    const { guard, put, gists } = guardOf()
    for (const kind of kinds) put(kind, [webhook])
    expect(guard.isIntact()).to.equal(true)
    put(kinds[0], ignoring)
    put(kinds[0], ignoring)
    expect(guard.isIntact()).to.equal(false)
    put(kinds[0], [webhook])
    expect(guard.isIntact()).to.equal(true)
    expect(gists().slice(-2)).to.deep.equal([
      'WebhookWeakened ValidatingWebhookConfiguration: workloads.lapse.dev lets through what it cannot judge',
      'WebhookRestored ValidatingWebhookConfiguration: the webhooks are asked again about everything that they must be asked about',
    ])
  })

  it('says of one that was never there that there is none', () => {
    const { guard, gists } = guardOf()
    guard.report()
    expect(guard.isIntact()).to.equal(false)
    expect(gists()).to.include(
      'WebhookWeakened MutatingWebhookConfiguration: there is no MutatingWebhookConfiguration lapse',
    )
  })

  it('takes what it has not seen for neither: it says nothing, and does not call it intact', () => {
    const { guard, gists } = guardOf({ hasSynced: false })
    guard.report()
    expect(guard.isIntact()).to.equal(false)
    expect(gists()).to.deep.equal([])
  })

  it('leaves the saying to the process that leads, and says it when it comes to lead itself', () => {
    const { guard, put, gists, state } = guardOf()
    state.leads = false
    for (const kind of kinds) put(kind, ignoring)
    expect(gists()).to.deep.equal([])
    state.leads = true
    guard.report()
    expect(gists()).to.have.length(2)
  })

  it('goes by what it finds first when it is not told what must be', () => {
    const { guard, put } = guardOf({ expected: null })
    for (const kind of kinds) put(kind, [webhook])
    expect(guard.isIntact()).to.equal(true)
    put(kinds[1], ignoring)
    expect(guard.isIntact()).to.equal(false)
  })
})

describe('parseExpectedWebhooks', () => {
  it('reads what the chart writes', () => {
    const lists = { ValidatingWebhookConfiguration: [webhook], MutatingWebhookConfiguration: [] }
    expect(parseExpectedWebhooks(JSON.stringify(lists))).to.deep.equal({
      ValidatingWebhookConfiguration: readWebhooks([webhook]),
      MutatingWebhookConfiguration: [],
    })
  })

  for (const text of ['', '{', '[]', '{}', '{"ValidatingWebhookConfiguration": []}'])
    it(`does not take ${JSON.stringify(text)}`, () => expect(parseExpectedWebhooks(text)).to.equal(null))
})
