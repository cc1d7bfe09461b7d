import { expect } from 'chai'

import { callWebhook } from '../support/direct-call.ts'
import { guardedCluster } from '../support/guarded-cluster.ts'
import { deployment } from '../webhook/objects.ts'
import { reviewOf } from '../webhook/requests.ts'

describe('B18 reviews that are malformed', () => {
  const elsewhere = 'elsewhere the answer was a page with a stack trace, or none at all (Pepr)'
  const whole = reviewOf(deployment())
  const { request } = whole
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`

  const malformed: readonly (readonly [what: string, body: string | Buffer, headers?: object])[] = [
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['half a review', JSON.stringify(whole).slice(0, 200)],
    ['a list', '[]'],
    ['null', 'null'],
    ['no request', JSON.stringify({ ...whole, request: null })],
    ['no uid', JSON.stringify({ ...whole, request: { ...request, uid: undefined } })],
    ['a uid that is no text', JSON.stringify({ ...whole, request: { ...request, uid: { a: 1 } } })],
    ['no object', JSON.stringify({ ...whole, request: { ...request, object: null } })],
    ['an object of another kind', JSON.stringify({ ...whole, request: { ...request, object: { kind: 'Pod' } } })],
    ['an UPDATE without the old object', JSON.stringify({ ...whole, request: { ...request, operation: 'UPDATE' } })],
    ['an operation that there is not', JSON.stringify({ ...whole, request: { ...request, operation: 'PATCH' } })],
    ['another version of the review', JSON.stringify({ ...whole, apiVersion: 'admission.k8s.io/v1beta1' })],
    ['nesting without end', `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${deep}}`],
    ['an object of nesting without end', JSON.stringify(whole).replace('"replicas":1', `"replicas":${deep}`)],
    ['names of what every object inherits', JSON.stringify(whole).replace('"kind":"Deployment"', '"kind":"__proto__"')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['another content type', JSON.stringify(whole), { 'content-type': 'text/plain' }],
    ['no content type', JSON.stringify(whole), {}],
    ['protobuf', JSON.stringify(whole), { 'content-type': 'application/vnd.kubernetes.protobuf' }],
  ]

  for (const [what, body, headers = { 'content-type': 'application/json' }] of malformed)
    it(`get a clean answer: ${what}: ${elsewhere}`, async () => {
      const { lapse } = await guardedCluster()
      for (const path of [
        '/v1/admit/workloads',
        '/v1/admit/access',
        '/v1/admit/lapse',
        '/v1/admit/cluster',
        '/v1/mutate',
      ]) {
        const { status, type, text } = await callWebhook(lapse.webhook, path, body, { headers: { ...headers } })
        const answer = JSON.parse(text) as { kind: string; response?: { uid: string; allowed: boolean } }
        expect(type).to.equal('application/json')
        expect(text).not.to.match(/node_modules|\.ts:\d+|\bat \w+ \(/)
        if (status === 200) {
          expect(answer.kind).to.equal('AdmissionReview')
          expect(answer.response).to.include({ uid: request.uid, allowed: false })
        } else {
          expect(status).to.be.within(400, 499)
          expect(answer.kind).to.equal('Status')
        }
      }
    })
})
