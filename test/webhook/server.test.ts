import { Agent, request, type RequestOptions } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { expect } from 'chai'
import { silentLog } from '../../src/runtime/log.ts'
import { systemClock, type Clock } from '../../src/runtime/clock.ts'
import { longestBody } from '../../src/webhook/envelope.ts'
import { Judge } from '../../src/webhook/judge.ts'
import { SaidOfGrants } from '../../src/webhook/said-of-grants.ts'
import { AdmissionServer } from '../../src/webhook/server.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { deployment, hostPath, legacyAccess, payments, policy } from './objects.ts'
import { operatorUser, reviewOf, worldOf, type RawObject } from './requests.ts'
import { selfSigned } from './self-signed.ts'

const host = '127.0.0.1'
const first = selfSigned('first')
const second = selfSigned('second')
const trusted = [first.cert, second.cert]
const noToken = { automountServiceAccountToken: false }

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly json: Readonly<Record<string, any>> // oxlint-disable-line typescript/no-explicit-any -- raw JSON
}

describe('AdmissionServer', () => {
  let server: AdmissionServer
  let port: number
  let clock: FakeClock
  let agent: Agent

  async function serve(time: Clock): Promise<void> {
    const world = worldOf(...payments, ...legacyAccess, policy())
    const judge = new Judge({
      operatorUser,
      clock: systemClock,
      log: silentLog,
      metrics: { review: () => {} },
      world: { world, said: new SaidOfGrants(), isReady: () => true, age: null, nextChange: () => Promise.resolve() },
    })
    server = new AdmissionServer({ judge, version: '1.2.3', clock: time, log: silentLog })
    port = await server.listen({ host, port: 0 }, first)
  }

  beforeEach(async () => {
    clock = new FakeClock()
    agent = new Agent({ keepAlive: true, maxSockets: 1, ca: trusted })
    await serve(clock)
  })
  afterEach(async () => {
    agent.destroy()
    const drained = server.drain()
    await clock.advance(2_000)
    await drained
  })

  function ask(options: RequestOptions, body = ''): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ host, port, agent, method: 'POST', ...options }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers, text, json: JSON.parse(text) as Answer['json'] })
        })
      })
      call.on('error', reject)
      call.end(body)
    })
  }
  const json = { 'content-type': 'application/json' }
  const review = (object: RawObject, path = '/v1/admit/workloads?timeout=5s', headers: object = json) =>
    ask({ path, headers: { ...headers } }, JSON.stringify(reviewOf(object)))

  it('answers a review over TLS', async () => {
    const { status, headers, json: answer } = await review(deployment(noToken))
    expect(status).to.equal(200)
    expect(headers['content-type']).to.equal('application/json')
    expect(answer['response']).to.deep.equal({ uid: reviewOf(deployment()).request.uid, allowed: true })
  })

  it('refuses a workload with the reason', async () => {
    const { status, json: answer } = await review(deployment({ volumes: hostPath }))
    expect(status).to.equal(200)
    expect(answer['response'].allowed).to.equal(false)
    expect(answer['response'].status.message).to.contain('[host-path]').and.contain('[secrets-read]')
  })

  it('takes a content type with parameters, and any case', async () => {
    const answer = await review(deployment(noToken), '/v1/admit/workloads', {
      'content-type': 'Application/JSON; charset=utf-8',
    })
    expect(answer.json['response'].allowed).to.equal(true)
  })

  it('judges an update of three megabytes on each side', async () => {
    const note = 'x'.repeat(3 * 1024 * 1024)
    const object = { ...deployment({ ...noToken, volumes: hostPath }), note }
    const body = JSON.stringify(reviewOf(object, { oldObject: { ...deployment(noToken), note } }))
    const answer = await ask({ path: '/v1/admit/workloads', headers: json }, body)
    expect(answer.json['response'].status.message).to.contain('[host-path]')
  })

  const failures: readonly (readonly [
    sentence: string,
    options: RequestOptions,
    body: string,
    status: number,
    message: string,
  ])[] = [
    ['no content type', { path: '/v1/mutate' }, '{}', 415, 'the content type must be application/json'],
    [
      'a form',
      { path: '/v1/mutate', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'a=b',
      415,
      'the content type must be application/json',
    ],
    [
      'a content type that only begins like JSON',
      { path: '/v1/mutate', headers: { 'content-type': 'application/jsonp' } },
      '{}',
      415,
      'the content type must be application/json',
    ],
    [
      'no body',
      { path: '/v1/admit/lapse', headers: json },
      '',
      400,
      'lapse cannot read this review: the body is no object',
    ],
    [
      'half a body',
      { path: '/v1/admit/lapse', headers: json },
      '{"apiVersion":',
      400,
      'lapse cannot read this review: the body is no object',
    ],
    [
      'a body that is too long by its own word',
      { path: '/v1/admit/lapse', headers: { ...json, 'content-length': longestBody + 1 } },
      ' '.repeat(longestBody + 1),
      413,
      'the body is longer than 7340032 bytes',
    ],
    [
      'a body that turns out too long',
      { path: '/v1/admit/lapse', headers: { ...json, 'transfer-encoding': 'chunked' } },
      ' '.repeat(longestBody + 1),
      413,
      'the body is longer than 7340032 bytes',
    ],
    ['a GET of a review path', { path: '/v1/admit/lapse', method: 'GET' }, '', 405, 'reviews are POSTed'],
    [
      'a path that is not there',
      { path: '/v1/admit', headers: json },
      '{}',
      404,
      'there is nothing here; GET / lists the paths',
    ],
    [
      'a path below a review path',
      { path: '/v1/mutate/x', headers: json },
      '{}',
      404,
      'there is nothing here; GET / lists the paths',
    ],
    [
      'a path that cannot be decoded',
      { path: '/%', method: 'GET' },
      '',
      404,
      'there is nothing here; GET / lists the paths',
    ],
  ]
  for (const [sentence, options, body, status, message] of failures)
    it(`answers ${sentence} with a clean ${status}`, async () => {
      const answer = await ask(options, body)
      expect(answer.status).to.equal(status)
      expect(answer.headers['content-type']).to.match(/^application\/json/)
      expect(answer.json).to.deep.include({ kind: 'Status', status: 'Failure', code: status, message })
      expect(answer.text).not.to.match(/\bat .*:\d+:\d+|node_modules|\.ts\b/)
    })

  it('serves the next review on the connection of one that it refused to read', async () => {
    await ask(
      { path: '/v1/admit/lapse', headers: { ...json, 'content-length': longestBody + 1 } },
      ' '.repeat(longestBody + 1),
    )
    expect((await review(deployment(noToken))).json['response'].allowed).to.equal(true)
  })

  it('gives up on a body that does not arrive', async () => {
    const socket = await openTls(port)
    const answer = textOf(socket)
    socket.write('POST /v1/mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{')
    while (clock.pending === 0) await new Promise((resolve) => void setImmediate(resolve))
    await clock.advance(3_000)
    expect(await answer)
      .to.match(/^HTTP\/1\.1 408 /)
      .and.contain('the body did not arrive within 3000 ms')
  })

  it('says by hand what it is', async () => {
    const { status, json: answer, headers } = await ask({ path: '/', method: 'GET' })
    expect(status).to.equal(200)
    expect(answer).to.deep.equal({
      name: 'lapse webhook',
      version: '1.2.3',
      paths: ['/v1/admit/workloads', '/v1/admit/access', '/v1/admit/lapse', '/v1/admit/cluster', '/v1/mutate'],
    })
    expect(headers).not.to.have.property('x-powered-by')
  })

  it('keeps connections open for longer than the API server does', async () => {
    expect((await review(deployment(noToken))).headers['keep-alive']).to.equal('timeout=120')
  })

  it('puts a new certificate to use without closing connections', async () => {
    const socket = await openTls(port)
    expect(socket.getPeerCertificate().subject.CN).to.equal('first')
    server.replaceCertificate(second)
    const next = await openTls(port)
    expect(next.getPeerCertificate().subject.CN).to.equal('second')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(await textOf(socket)).to.match(/^HTTP\/1\.1 200 /)
    next.destroy()
  })

  it('keeps the old certificate when the new pair does not fit together', async () => {
    expect(() => server.replaceCertificate({ cert: second.cert, key: first.key })).to.throw()
    expect(() => server.replaceCertificate({ cert: 'rubbish', key: second.key })).to.throw()
    const socket = await openTls(port)
    expect(socket.getPeerCertificate().subject.CN).to.equal('first')
    socket.destroy()
  })

  it('does not start with a certificate that does not fit its key', async () => {
    const other = new AdmissionServer({
      judge: { answer: () => Promise.reject(new Error('asked')) },
      version: '',
      clock,
      log: silentLog,
    })
    const failed = await other.listen({ host, port: 0 }, { cert: second.cert, key: first.key }).then(
      () => '',
      (error: unknown) => String(error),
    )
    expect(failed).to.match(/key values mismatch/i)
  })

  it('answers while it drains, asks the client to leave, and closes in the end', async () => {
    await review(deployment(noToken))
    const drained = server.drain()
    const { headers, json: answer } = await review(deployment(noToken))
    expect(answer['response'].allowed).to.equal(true)
    expect(headers['connection']).to.equal('close')
    await clock.advance(2_000)
    await drained
    const refused = await review(deployment(noToken)).then(
      () => 'answered',
      (error: unknown) => String(error),
    )
    expect(refused).to.contain('ECONNREFUSED')
  })
})

describe('AdmissionServer, when the judge fails', () => {
  it('says no, without a stack', async () => {
    const judge = { answer: () => Promise.reject(new Error('a defect')) }
    const clock = new FakeClock()
    const server = new AdmissionServer({ judge, version: '', clock, log: silentLog })
    const port = await server.listen({ host, port: 0 }, first)
    const socket = await openTls(port)
    socket.write(
      'POST /v1/mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
    )
    const text = await textOf(socket)
    expect(text)
      .to.match(/^HTTP\/1\.1 500 /)
      .and.contain('lapse failed to judge this object')
      .and.not.contain('a defect')
    const drained = server.drain()
    await clock.advance(2_000)
    await drained
  })
})

function openTls(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ca: trusted }, () => resolve(socket))
    socket.on('error', reject)
  })
}

/** Everything that comes until the other side closes. */
function textOf(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('close', () => resolve(text))
  })
}
