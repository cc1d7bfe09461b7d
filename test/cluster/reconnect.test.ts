import { expect } from 'chai'
import {
  Forbidden,
  Gone,
  Malformed,
  ServerError,
  TooManyRequests,
  Unauthorized,
  Unreachable,
} from '../../src/cluster/errors.ts'
import { ReconnectBackoff } from '../../src/cluster/reconnect.ts'
import { errorOfStatus } from '../../src/cluster/status-error.ts'

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
  const away: readonly (readonly [string, Error])[] = [
    ['there is no answer', unreachable],
    ...[502, 503, 504].map((code) => [`a load balancer answers ${code}`, errorOfStatus(request, code, null)] as const),
  ]
  for (const [what, error] of away) {
    it(`doubles up to a second and a half while ${what}`, () => {
      expect(waits(full(), error, 7)).to.deep.equal([100, 200, 400, 800, 1_500, 1_500, 1_500])
    })
  }

  const answered: readonly (readonly [string, Error])[] = [
    ['refuses', refused],
    ['does not know the credentials', new Unauthorized(request, 'who?')],
    ['has forgotten the place', new Gone(request, 'expired')],
    ['fails', new ServerError(request, 'etcd', 500)],
    ['sends what makes no sense', new Malformed(request, 'the answer is malformed')],
  ]
  for (const [what, error] of answered) {
    it(`doubles up to half a minute when the server ${what}`, () => {
      expect(waits(full(), error, 11).slice(-3)).to.deep.equal([25_600, 30_000, 30_000])
    })
  }

  it('is spread over the upper half', () => {
    expect(new ReconnectBackoff(() => 0).next(unreachable)).to.equal(50)
  })

  it('begins anew after a success', () => {
    const backoff = full()
    waits(backoff, unreachable, 20)
    waits(backoff, refused, 20)
    backoff.reset()
    expect([backoff.next(unreachable), backoff.next(refused)]).to.deep.equal([100, 100])
  })

  it('is short at the first refusal of a server that was away for long, and at the first silence of one that refused', () => {
    const backoff = full()
    waits(backoff, unreachable, 400)
    expect(waits(backoff, refused, 2)).to.deep.equal([100, 200])
    waits(backoff, refused, 20)
    backoff.reset()
    waits(backoff, refused, 20)
    expect(backoff.next(unreachable)).to.equal(100)
  })

  it('grows on when refusals and silence take turns: neither makes the other begin anew', () => {
    const backoff = full()
    const turns = Array.from({ length: 11 }, () => [backoff.next(unreachable), backoff.next(refused)])
    expect(turns.slice(3, 6)).to.deep.equal([
      [800, 800],
      [1_500, 1_600],
      [1_500, 3_200],
    ])
    expect(turns.at(-1)).to.deep.equal([1_500, 30_000])
  })

  it('counts silence and the 503 of a load balancer as one', () => {
    const backoff = full()
    const turns = Array.from({ length: 3 }, () => [
      backoff.next(unreachable),
      backoff.next(errorOfStatus(request, 503, null)),
    ])
    expect(turns.flat()).to.deep.equal([100, 200, 400, 800, 1_500, 1_500])
  })

  it('is added to the time that a throttling server asks for, of which half a minute is heeded', () => {
    expect(full().next(new TooManyRequests(request, 'later', 7_000))).to.equal(7_100)
    expect(full().next(new TooManyRequests(request, 'much later', 99_999_000))).to.equal(30_100)
  })
})
