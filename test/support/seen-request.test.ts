import { expect } from 'chai'

import { mostInASecond, seenRequest } from './seen-request.ts'

describe('a request that was seen', () => {
  const cases = [
    ['GET', '/api/v1/configmaps?limit=500', 'list'],
    ['GET', '/api/v1/namespaces', 'list'],
    ['GET', '/api/v1/namespaces/default', 'get'],
    ['GET', '/api/v1/namespaces/default/configmaps?limit=500', 'list'],
    ['GET', '/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=7', 'watch'],
    ['GET', '/api/v1/namespaces/default/configmaps/settings', 'get'],
    ['GET', '/apis/lapse.dev/v1alpha1/namespaces/default/nhigrants', 'list'],
    ['GET', '/apis/lapse.dev/v1alpha1/accesspolicies/watch', 'get'],
    ['GET', '/version', 'get'],
    ['POST', '/api/v1/namespaces/default/configmaps', 'write'],
    ['DELETE', '/api/v1/namespaces/default/configmaps/settings', 'write'],
  ] as const
  for (const [method, url, verb] of cases) {
    it(`is a ${verb}: ${method} ${url}`, () => expect(seenRequest(method, url).verb).to.equal(verb))
  }

  it('is counted with those of the same second, wherever that second begins', () => {
    const at = [0, 900, 950, 1_000, 1_899, 1_900, 5_000]
    const requests = at.map((instant) => ({ ...seenRequest('GET', '/version'), at: instant }))
    expect(mostInASecond(requests), '900, 950, 1000 and 1899').to.equal(4)
    expect(mostInASecond([])).to.equal(0)
  })
})
