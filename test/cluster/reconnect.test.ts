import { expect } from 'chai'
import { Forbidden, TooManyRequests, Unreachable } from '../../src/cluster/errors.ts'
import { ReconnectBackoff } from '../../src/cluster/reconnect.ts'

const request = { method: 'GET', path: '/x' }
const unreachable = new Unreachable(request, 'reset')
const refused = new Forbidden(request, 'no')

function full(): ReconnectBackoff {
  return new ReconnectBackoff(() => 1)
}

function waits(backoff: ReconnectBackoff, error: Error, times: number): readonly number[] {
  return Array.from({ length: times }, () => backoff.next(error))
}

describe('the back-off before a reconnect', () => {
  it('doubles up to a second and a half while there is no answer', () => {
    expect(waits(full(), unreachable, 7)).to.deep.equal([100, 200, 400, 800, 1_500, 1_500, 1_500])
  })

  it('doubles up to half a minute when the server refuses', () => {
    expect(waits(full(), refused, 11).slice(-3)).to.deep.equal([25_600, 30_000, 30_000])
  })

  it('is spread over the upper half', () => {
    expect(new ReconnectBackoff(() => 0).next(unreachable)).to.equal(50)
  })

  it('begins anew after a success, and when a server that was away answers with a refusal', () => {
    const backoff = full()
    waits(backoff, unreachable, 20)
    expect(backoff.next(refused)).to.equal(100)
    expect(backoff.next(refused)).to.equal(200)
    backoff.reset()
    expect(backoff.next(refused)).to.equal(100)
  })

  it('is added to the time that a throttling server asks for', () => {
    expect(full().next(new TooManyRequests(request, 'later', 7_000))).to.equal(7_100)
  })
})
