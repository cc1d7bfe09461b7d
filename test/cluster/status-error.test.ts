import { expect } from 'chai'
import {
  ClusterError,
  Conflict,
  Forbidden,
  Gone,
  Invalid,
  NotFound,
  ServerError,
  TooManyRequests,
  Unauthorized,
  Unavailable,
} from '../../src/cluster/errors.ts'
import { errorOfStatus } from '../../src/cluster/status-error.ts'

const request = { method: 'GET', path: '/api/v1/namespaces/default/secrets/token' }

describe('the error of a status', () => {
  const kinds = [
    [400, Invalid],
    [401, Unauthorized],
    [403, Forbidden],
    [404, NotFound],
    [405, ServerError],
    [409, Conflict],
    [410, Gone],
    [422, Invalid],
    [429, TooManyRequests],
    [500, ServerError],
    [501, ServerError],
    [502, Unavailable],
    [503, Unavailable],
    [504, Unavailable],
  ] as const
  for (const [code, kind] of kinds) {
    it(`is a ${kind.name} for ${code}, with the server's own sentence, verb and path`, () => {
      const error = errorOfStatus(request, code, { kind: 'Status', message: 'the server says why', code })
      expect(error).to.be.instanceOf(kind).and.instanceOf(ClusterError)
      expect(error.name).to.equal(kind.name)
      expect(error.message).to.equal('the server says why (GET /api/v1/namespaces/default/secrets/token)')
    })
  }

  for (const body of ['<html>secret</html>', null, 42, { data: 'secret' }, { message: { text: 'secret' } }]) {
    it(`says only the code when the answer is no Status: ${JSON.stringify(body)}`, () => {
      const error = errorOfStatus(request, 502, body)
      expect(error.message).to.equal('HTTP status 502 (GET /api/v1/namespaces/default/secrets/token)')
      expect(JSON.stringify(error)).not.to.contain('<html>')
    })
  }

  it('is also a ServerError, with its status, when no API server is behind what answered', () => {
    expect(errorOfStatus(request, 503, null))
      .to.be.instanceOf(ServerError)
      .and.to.include({ status: 503 })
  })

  it('tells a name that is taken from a version that is old', () => {
    expect(errorOfStatus(request, 409, { reason: 'AlreadyExists' })).to.include({ reason: 'AlreadyExists' })
    expect(errorOfStatus(request, 409, { reason: 'Conflict' })).to.include({ reason: 'Conflict' })
    expect(errorOfStatus(request, 409, null)).to.include({ reason: 'Conflict' })
  })

  it('tells an object that does not exist from a kind that is not served', () => {
    expect(errorOfStatus(request, 404, { details: { name: 'token' } })).to.include({ missing: 'object' })
    expect(errorOfStatus(request, 404, { details: {} })).to.include({ missing: 'resource' })
    expect(errorOfStatus(request, 404, '404 page not found')).to.include({ missing: 'resource' })
  })

  it('names the fields that are invalid', () => {
    const details = { causes: [{ reason: 'FieldValueRequired', field: 'spec.duration', message: 'is required' }, {}] }
    expect((errorOfStatus(request, 422, { details }) as Invalid).causes).to.deep.equal([
      { field: 'spec.duration', message: 'is required' },
      { field: '', message: '' },
    ])
  })

  const waits = [
    { says: 'the header', header: '7', details: { retryAfterSeconds: 3 }, millis: 7_000 },
    { says: 'the Status when there is no header', header: '', details: { retryAfterSeconds: 3 }, millis: 3_000 },
    { says: 'nothing: a second', header: '', details: undefined, millis: 1_000 },
    { says: 'nonsense: a second', header: 'Wed, 21 Oct 2026 07:28:00 GMT', details: null, millis: 1_000 },
    { says: 'zero: a second', header: '0', details: undefined, millis: 1_000 },
    { says: 'a minute', header: '60', details: undefined, millis: 60_000 },
    { says: 'a day, of which a minute is heeded', header: '99999', details: undefined, millis: 60_000 },
    { says: 'an age, of which a minute is heeded', header: '9'.repeat(400), details: undefined, millis: 60_000 },
    { says: 'a Status beyond measure', header: '', details: { retryAfterSeconds: 1e308 }, millis: 60_000 },
  ]
  for (const { says, header, details, millis } of waits) {
    it(`asks for the wait that is named by ${says}`, () => {
      expect(errorOfStatus(request, 429, { details }, header)).to.include({ retryAfter: millis })
    })
  }
})
