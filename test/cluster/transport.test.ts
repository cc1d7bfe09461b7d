import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Credentials } from '../../src/cluster/credentials.ts'
import {
  Fenced,
  Forbidden,
  Malformed,
  NoCredentials,
  ServerError,
  TooManyRequests,
  Unauthorized,
  Unreachable,
} from '../../src/cluster/errors.ts'
import { Transport, type TransportOptions } from '../../src/cluster/transport.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import type { RequestOutcome } from '../../src/runtime/metrics.ts'
import type { DatedAnswer } from '../../src/runtime/trusted-clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** Waits below a second last five milliseconds and are noted. */
class HastyClock implements Clock {
  readonly waits: number[] = []

  now(): number {
    return systemClock.now()
  }

  monotonic(): number {
    return systemClock.monotonic()
  }

  after(delay: number, action: () => void): () => void {
    if (delay >= 5_000) return systemClock.after(delay, action)
    this.waits.push(delay)
    return systemClock.after(Math.min(delay, 5), action)
  }
}

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error as Error,
  )
}

async function collect(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const value of values) all.push(value)
  return all
}

describe('the transport', () => {
  let server: Server
  let transport: Transport
  const transports: Transport[] = []
  let clock: HastyClock
  let answer: (...exchange: Parameters<RequestListener>) => unknown
  let requests: string[]
  const sockets = new Set<Socket>()
  const forever = new AbortController()

  function connect(options: Partial<TransportOptions> = {}): Transport {
    const { port } = server.address() as AddressInfo
    const credentials = { tls: {}, headers: { Authorization: 'Bearer s3cret' } }
    const connection = {
      url: `http://127.0.0.1:${port}`,
      namespace: '',
      credentials: () => Promise.resolve(credentials),
      renew: () => {},
    }
    const made = new Transport({ connection, clock, random: () => 0.5, ...options })
    transports.push(made)
    return made
  }

  /** Those that hold, and the renewals that were asked for. */
  function rotating(...rounds: readonly Credentials[]): { readonly transport: Transport; readonly renewals: number } {
    const { port } = server.address() as AddressInfo
    let renewals = 0
    const connection = {
      url: `http://127.0.0.1:${port}`,
      namespace: '',
      credentials: () => Promise.resolve(rounds[Math.min(renewals, rounds.length - 1)]!),
      renew: () => void (renewals += 1),
    }
    return {
      transport: connect({ connection }),
      get renewals() {
        return renewals
      },
    }
  }

  beforeEach(async () => {
    requests = []
    clock = new HastyClock()
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`)
      answer(request, response)
    })
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    transport = connect()
  })

  afterEach(async () => {
    await Promise.all(transports.splice(0).map((each) => each.close()))
    server.closeAllConnections()
    server.close()
  })

  describe('a call', () => {
    it('sends JSON with the credentials and returns the JSON that comes back, unknown fields and all', async () => {
      answer = async (request, response) => {
        const chunks = await request.toArray()
        const { authorization, accept } = request.headers
        const type = request.headers['content-type']
        response.end(
          JSON.stringify({ authorization, accept, type, body: Buffer.concat(chunks).toString(), ünknown: 1 }),
        )
      }
      const value = await transport.call('POST', '/x', { a: 'ä' }, { contentType: 'application/merge-patch+json' })
      expect(value).to.deep.equal({
        authorization: 'Bearer s3cret',
        accept: 'application/json',
        type: 'application/merge-patch+json',
        body: '{"a":"ä"}',
        ünknown: 1,
      })
    })

    it('returns null for an empty answer', async () => {
      answer = (_, response) => response.writeHead(200).end()
      expect(await transport.call('DELETE', '/x')).to.equal(null)
    })

    it('keeps the path prefix of the server', async () => {
      answer = (_, response) => response.end('{}')
      const { port } = server.address() as AddressInfo
      const behind = connect({
        connection: { url: `http://127.0.0.1:${port}/k8s/c1`, namespace: '', credentials: nobody, renew: () => {} },
      })
      await behind.call('GET', '/api/v1/pods?limit=1')
      expect(requests).to.deep.equal(['GET /k8s/c1/api/v1/pods?limit=1'])
    })

    it('opens 64 connections at most, and uses them again', async () => {
      let most = 0
      answer = (_, response) => {
        most = Math.max(most, sockets.size)
        setImmediate(() => response.end('{}'))
      }
      await Promise.all(Array.from({ length: 400 }, () => transport.call('GET', '/x')))
      expect(most).to.be.within(2, 64)
    })

    it('ends at its deadline when nobody answers, and says for how long it waited', async () => {
      answer = () => {}
      const failure = await failureOf(connectTo(systemClock).call('POST', '/slow?secret=1', {}, { timeout: 50 }))
      expect(failure).to.be.instanceOf(Unreachable)
      expect(failure.message).to.equal('no answer: no answer within 50ms (POST /slow)')
    })

    it('ends at its deadline in the middle of an answer too', async () => {
      answer = (_, response) => {
        response.writeHead(200, { 'Content-Length': '100' })
        response.write('{"half":')
      }
      const failure = await failureOf(connectTo(systemClock).call('GET', '/half', undefined, { timeout: 50 }))
      expect(failure).to.be.instanceOf(Unreachable)
      expect(requests, 'no retry beyond the deadline').to.have.length(1)
    })

    it('ends when its caller gives up', async () => {
      const abort = new AbortController()
      answer = () => abort.abort()
      expect(await failureOf(transport.call('POST', '/x', {}, { signal: abort.signal }))).to.be.instanceOf(Unreachable)
    })

    it('never shows a body, a header or a query in an error', async () => {
      answer = (_, response) => response.writeHead(403, { 'X-Secret': 'h3ader' }).end('{"data":"b0dy"}')
      const failure = await failureOf(transport.call('GET', '/x?token=qu3ry'))
      expect(failure).to.be.instanceOf(Forbidden)
      expect(`${failure.message} ${JSON.stringify(failure)}`).not.to.match(/b0dy|h3ader|qu3ry|s3cret/)
    })

    it('does not quote an answer that is no JSON', async () => {
      answer = (_, response) => response.end('b0dy')
      const failure = await failureOf(transport.call('POST', '/x', {}))
      expect(failure).to.be.instanceOf(Malformed)
      expect(failure.message).to.equal('the answer is malformed (POST /x)')
    })

    it('says Unauthorized when there are no credentials to be had', async () => {
      const failure = await failureOf(
        connect({
          connection: {
            url: 'http://127.0.0.1:1',
            namespace: '',
            credentials: loggedOut,
            renew: () => expect.fail('renewed'),
          },
        }).call('GET', '/x'),
      )
      expect(failure).to.be.instanceOf(NoCredentials)
      expect(failure).to.be.instanceOf(Unauthorized)
      expect(failure.message).to.equal('no credentials: log in first (GET /x)')
      expect(requests).to.be.empty
    })
  })

  function connectTo(other: Clock): Transport {
    return connect({ clock: other })
  }

  describe('a retry', () => {
    const faults: readonly { readonly what: string; readonly fault: RequestListener }[] = [
      { what: 'a reset', fault: (request) => request.socket.resetAndDestroy() },
      { what: 'an answer that is cut off', fault: cutOff },
      { what: '429', fault: (_, response) => response.writeHead(429, { 'Retry-After': '1' }).end() },
      { what: '503', fault: (_, response) => response.writeHead(503).end() },
    ]
    for (const { what, fault } of faults) {
      it(`repairs a read after ${what}`, async () => {
        answer = (request, response) => (requests.length < 3 ? fault(request, response) : response.end('{"ok":true}'))
        expect(await transport.call('GET', '/x')).to.deep.equal({ ok: true })
        expect(requests).to.have.length(3)
      })

      it(`is not made for a write after ${what}`, async () => {
        answer = fault
        await failureOf(transport.call('POST', '/x', {}))
        expect(requests).to.have.length(1)
      })
    }

    it('is made for a POST that only asks', async () => {
      answer = (_, response) => (requests.length < 2 ? response.writeHead(500).end() : response.end('{}'))
      await transport.call('POST', '/review', {}, { effect: 'read' })
      expect(requests).to.have.length(2)
    })

    it('is given up after four', async () => {
      answer = (_, response) => response.writeHead(500).end()
      expect(await failureOf(transport.call('GET', '/x'))).to.be.instanceOf(ServerError)
      expect(requests).to.have.length(5)
      expect(clock.waits).to.deep.equal([50, 100, 200, 400])
    })

    it('waits as long as the server asks for, and some more', async () => {
      answer = (_, response) =>
        requests.length < 2 ? response.writeHead(429, { 'Retry-After': '2' }).end() : response.end('{}')
      await transport.call('GET', '/x')
      expect(clock.waits).to.deep.equal([2_050])
    })

    it('is not made when the server asks for more time than the call has', async () => {
      answer = (_, response) => response.writeHead(429, { 'Retry-After': '60' }).end()
      const failure = await failureOf(transport.call('GET', '/x'))
      expect(failure).to.be.instanceOf(TooManyRequests)
      expect((failure as TooManyRequests).retryAfter).to.equal(60_000)
      expect(requests).to.have.length(1)
    })

    it('is not made either when the server asks for a day, of which a minute is heeded', async () => {
      answer = (_, response) => response.writeHead(429, { 'Retry-After': '99999' }).end()
      const failure = await failureOf(transport.call('GET', '/x', undefined, { timeout: 59_000 }))
      expect(failure).to.be.instanceOf(TooManyRequests).and.to.include({ retryAfter: 60_000 })
      expect([clock.waits, requests]).to.deep.equal([[], ['GET /x']])
    })

    for (const code of [400, 403, 404, 409, 410, 422]) {
      it(`is not made after ${code}: the answer would be the same`, async () => {
        answer = (_, response) => response.writeHead(code).end('{}')
        await failureOf(transport.call('GET', '/x'))
        expect(requests).to.have.length(1)
      })
    }
  })

  describe('credentials', () => {
    const tls = {}
    const old: Credentials = { tls, headers: { Authorization: 'Bearer old' } }
    const fresh: Credentials = { tls, headers: { Authorization: 'Bearer new' } }
    for (const method of ['GET', 'POST'] as const) {
      it(`are read again, once, when a ${method} is refused for them, and it is made with the new ones at once`, async () => {
        answer = onlyNew
        const state = rotating(old, fresh)
        expect(await state.transport.call(method, '/x', method === 'POST' ? {} : undefined)).to.deep.equal({ ok: 1 })
        expect([state.renewals, requests.length]).to.deep.equal([1, 2])
      })

      it(`that are refused again end a ${method} as Unauthorized`, async () => {
        answer = onlyNew
        const state = rotating(old)
        expect(await failureOf(state.transport.call(method, '/x'))).to.be.instanceOf(Unauthorized)
        expect([state.renewals, requests.length]).to.deep.equal([2, 2])
      })
    }

    it('are read again when a watch is refused for them', async () => {
      answer = onlyNew
      const state = rotating(old, fresh)
      const watch = (): Promise<unknown[]> =>
        collect(state.transport.watch('/w', { idle: 10_000, signal: forever.signal }))
      expect(await failureOf(watch())).to.be.instanceOf(Unauthorized)
      expect(await watch()).to.deep.equal([{ ok: 1 }])
    })

    it('that connections are made with have connections of their own: what runs on the old ones ends in peace', async () => {
      const held: ServerResponse[] = []
      let before: ReadonlySet<Socket> = new Set()
      answer = (request, response) => {
        if (request.url === '/held') held.push(response)
        else if (state.renewals === 0) response.writeHead(401).end()
        else response.end(JSON.stringify({ isNew: !before.has(request.socket) }))
      }
      const state = rotating(old, { tls: {}, headers: {} })
      const slow = state.transport.call('GET', '/held')
      while (held.length === 0) await new Promise(setImmediate)
      before = new Set(sockets)
      expect(await state.transport.call('GET', '/x')).to.deep.equal({ isNew: true })
      held[0]?.end('{"late":1}')
      expect(await slow).to.deep.equal({ late: 1 })
      while ([...before].some((socket) => sockets.has(socket))) await new Promise(setImmediate)
    })
  })

  describe('credentials that do not come', () => {
    let come: (credentials: Credentials) => void
    let late: Transport
    let time: FakeClock
    let seen: RequestOutcome[]

    beforeEach(() => {
      const { promise, resolve } = Promise.withResolvers<Credentials>()
      const { port } = server.address() as AddressInfo
      come = resolve
      time = new FakeClock()
      seen = []
      answer = (_, response) => response.end('{"ok":1}\n')
      late = connect({
        clock: time,
        connection: { url: `http://127.0.0.1:${port}`, namespace: '', credentials: () => promise, renew: () => {} },
        observer: { request: (outcome) => void seen.push(outcome) },
      })
    })

    /** Whoever gave up is gone: nothing is sent when the credentials come after all, but for those who ask then. */
    async function expectNothingSent(): Promise<void> {
      come({ tls: {}, headers: {} })
      expect(await late.call('GET', '/new')).to.deep.equal({ ok: 1 })
      expect(requests).to.deep.equal(['GET /new'])
      expect(seen).to.deep.equal([{ method: 'GET', code: '200' }])
      expect(time.pending, 'timers left').to.equal(0)
    }

    for (const method of ['GET', 'POST'] as const) {
      it(`end a ${method} at its deadline, and it is not sent later`, async () => {
        const failure = failureOf(late.call(method, '/x', undefined, { timeout: 3_000 }))
        await time.advance(2_999)
        expect(await Promise.race([failure, Promise.resolve('under way')])).to.equal('under way')
        await time.advance(1)
        expect(await failure).to.be.instanceOf(NoCredentials)
        expect((await failure).message).to.equal(`no credentials: no answer within 3s (${method} /x)`)
        await expectNothingSent()
      })
    }

    it('end a call when its caller gives up', async () => {
      const abort = new AbortController()
      const failure = failureOf(late.call('POST', '/x', {}, { signal: abort.signal }))
      await time.advance(1_000)
      abort.abort(new Error('given up'))
      expect((await failure).message).to.equal('no credentials: given up (POST /x)')
      await expectNothingSent()
    })

    it('end a watch at its signal', async () => {
      const abort = new AbortController()
      const failure = failureOf(collect(late.watch('/w', { idle: 10_000, signal: abort.signal })))
      await time.advance(9_999)
      abort.abort(new Error('stopped'))
      expect((await failure).message).to.equal('no credentials: stopped (GET /w)')
      await expectNothingSent()
    })

    it('end a watch when it has heard nothing for too long', async () => {
      const failure = failureOf(collect(late.watch('/w', { idle: 10_000, signal: forever.signal })))
      await time.advance(10_000)
      expect((await failure).message).to.equal('no credentials: nothing heard for 10s (GET /w)')
      await expectNothingSent()
    })
  })

  describe('a fence', () => {
    let open: boolean
    let fenced: Transport
    beforeEach(() => {
      open = true
      fenced = connect({ mayWrite: () => open })
    })

    it('lets writes through as long as it is open, and reads always', async () => {
      answer = (_, response) => response.end('{"ok":1}')
      expect(await fenced.call('POST', '/x', {})).to.deep.equal({ ok: 1 })
      open = false
      expect(await fenced.call('GET', '/x')).to.deep.equal({ ok: 1 })
      expect(await fenced.call('POST', '/review', {}, { effect: 'read' })).to.deep.equal({ ok: 1 })
    })

    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      it(`keeps a ${method} from being sent when it is closed`, async () => {
        answer = (_, response) => response.end('{}')
        open = false
        const failure = await failureOf(fenced.call(method, '/x?q=1', {}))
        expect(failure).to.be.instanceOf(Fenced)
        expect(failure.message).to.equal(`not sent: this process does not hold the lease (${method} /x)`)
        expect(requests).to.be.empty
      })
    }

    it('is asked when the turn of a write has come, not when it was called: those that queue are not sent', async () => {
      const held: ServerResponse[] = []
      answer = (_, response) => void held.push(response)
      const calls = Array.from({ length: 100 }, () => fenced.call('POST', '/x', {}))
      while (held.length < 64) await new Promise(setImmediate)
      open = false
      for (const response of held) response.end('{}')
      const ends = await Promise.allSettled(calls)
      expect(ends.filter(({ status }) => status === 'fulfilled')).to.have.length(64)
      expect(ends.filter((end) => end.status === 'rejected' && end.reason instanceof Fenced)).to.have.length(36)
      expect(requests).to.have.length(64)
      open = true
      answer = (_, response) => response.end('{"ok":1}')
      expect(await fenced.call('POST', '/x', {}), 'the connections are as good as new').to.deep.equal({ ok: 1 })
    })
  })

  it('tells how each request went', async () => {
    const seen: string[] = []
    const observer = {
      request: ({ method, code }: RequestOutcome): void => void seen.push(`${method} ${code}`),
    }
    const observed = connect({ observer })
    answer = (request, response) =>
      request.url === '/lost'
        ? request.socket.resetAndDestroy()
        : response.writeHead(request.url === '/x' ? 200 : 404).end()
    await observed.call('GET', '/x')
    await failureOf(observed.call('DELETE', '/none'))
    await failureOf(observed.call('POST', '/lost'))
    expect(seen).to.deep.equal(['GET 200', 'DELETE 404', 'POST <error>'])
  })

  it('tells of no request when none was sent: for want of credentials, or by the fence', async () => {
    const seen: RequestOutcome[] = []
    const observer = { request: (outcome: RequestOutcome): void => void seen.push(outcome) }
    answer = (_, response) => response.end('{}')
    const connection = { url: 'http://127.0.0.1:1', namespace: '', credentials: loggedOut, renew: () => {} }
    expect(await failureOf(connect({ observer, connection }).call('GET', '/x'))).to.be.instanceOf(NoCredentials)
    expect(await failureOf(connect({ observer, mayWrite: () => false }).call('POST', '/x'))).to.be.instanceOf(Fenced)
    expect([seen, requests]).to.deep.equal([[], []])
  })

  it('hands on the Date of every answer, of refusals and watches too, with when it was asked for', async () => {
    const heard: DatedAnswer[] = []
    const told = connect({ witness: { heard: (each) => void heard.push(each) } })
    const date = 'Fri, 01 Jan 2027 00:00:07 GMT'
    answer = (request, response) =>
      request.url === '/lost'
        ? request.socket.resetAndDestroy()
        : response.writeHead(request.url === '/none' ? 404 : 200, { date }).end('{}')
    const began = clock.monotonic()
    await told.call('GET', '/x')
    await failureOf(told.call('DELETE', '/none'))
    await failureOf(told.call('POST', '/lost'))
    await collect(told.watch('/w', { idle: 10_000, signal: forever.signal }))
    expect(heard.map((each) => each.date)).to.deep.equal(Array(3).fill(Date.UTC(2027, 0, 1, 0, 0, 7)))
    const times = [began, ...heard.flatMap(({ sent, received }) => [sent, received]), clock.monotonic()]
    expect(times).to.deep.equal(times.toSorted((a, b) => a - b))
  })

  it('hands on nothing of an answer without a Date', async () => {
    const heard: DatedAnswer[] = []
    answer = (_, response) => {
      response.sendDate = false
      response.end('{}')
    }
    await connect({ witness: { heard: (each) => void heard.push(each) } }).call('GET', '/x')
    expect(heard).to.deep.equal([])
  })

  it('answers nothing any more once it is closed', async () => {
    answer = (_, response) => response.end('{}')
    await transport.call('GET', '/x')
    await transport.close()
    expect(await failureOf(transport.call('POST', '/x'))).to.be.instanceOf(Unreachable)
    expect(requests).to.have.length(1)
  })

  describe('a watch', () => {
    const options = { idle: 10_000, signal: forever.signal }

    it('yields a line as soon as it is complete, cut inside of a character or not, until the server ends it', async () => {
      const bytes = Buffer.from('{"text":"naïve ✓ 𝄞"}\n{"n":2}\n')
      answer = async (_, response) => {
        for (const byte of bytes) {
          response.write(Buffer.from([byte]))
          await new Promise(setImmediate)
        }
        response.end()
      }
      expect(await collect(transport.watch('/w', options))).to.deep.equal([{ text: 'naïve ✓ 𝄞' }, { n: 2 }])
    })

    it('fails as the status says when it is refused', async () => {
      answer = (_, response) => response.writeHead(403).end('{"message":"no"}')
      const failure = await failureOf(collect(transport.watch('/w?watch=true', options)))
      expect(failure).to.be.instanceOf(Forbidden)
      expect(failure.message).to.equal('no (GET /w)')
    })

    it('fails as Unreachable when the connection is reset', async () => {
      answer = (request, response) => {
        response.write('{"n":1}\n')
        setTimeout(() => request.socket.resetAndDestroy(), 5)
      }
      expect(await failureOf(collect(transport.watch('/w', options)))).to.be.instanceOf(Unreachable)
    })

    it('fails as malformed, without quoting, when a line is no JSON', async () => {
      answer = (_, response) => response.end('b0dy\n')
      const failure = await failureOf(collect(transport.watch('/w', options)))
      expect(failure).to.be.instanceOf(Malformed)
      expect(failure.message).to.equal('the answer is malformed (GET /w)')
    })

    for (const [stage, begin] of [
      ['before the first byte', () => {}],
      ['after some lines', (response: { write(text: string): unknown }) => void response.write('{"n":1}\n')],
    ] as const) {
      it(`is given up when nothing is heard, ${stage}, though the connection stays open`, async () => {
        answer = (_, response) => begin(response)
        const watch = collect(connectTo(systemClock).watch('/w', { ...options, idle: 60 }))
        const failure = await failureOf(watch)
        expect(failure).to.be.instanceOf(Unreachable)
        expect(failure.message).to.equal('no answer: nothing heard for 60ms (GET /w)')
      })
    }

    it('lasts as long as something is heard now and then', async () => {
      const time = new FakeClock()
      const opened = Promise.withResolvers<ServerResponse>()
      answer = (_, response) => {
        response.write('{"n":1}\n')
        opened.resolve(response)
      }
      const watch = connect({ clock: time }).watch('/w', options)[Symbol.asyncIterator]()
      for (const _ of [1, 2, 3]) {
        expect((await watch.next()).value).to.deep.equal({ n: 1 })
        await time.advance(9_999)
        const response = await opened.promise
        response.write('{"n":1}\n')
      }
      await watch.next()
      await time.advance(10_000)
      expect((await failureOf(watch.next())).message).to.contain('nothing heard for 10s')
    })

    it('leaves no socket behind when its reader stops reading', async () => {
      answer = (_, response) => void response.write('{"n":1}\n{"n":2}\n')
      for await (const value of transport.watch('/w', options)) {
        expect(value).to.deep.equal({ n: 1 })
        break
      }
      for (const socket of sockets) await once(socket, 'close')
      expect(sockets.size).to.equal(0)
    })

    it('does not stand in the way of calls', async () => {
      answer = (request, response) => void (request.url === '/w' ? response.write('{}\n') : response.end('{"ok":1}'))
      const abort = new AbortController()
      const watches = Array.from({ length: 80 }, () =>
        transport.watch('/w', { idle: 10_000, signal: abort.signal })[Symbol.asyncIterator](),
      )
      await Promise.all(watches.map((watch) => watch.next()))
      expect(await transport.call('GET', '/x')).to.deep.equal({ ok: 1 })
      abort.abort()
      for (const watch of watches) expect(await failureOf(watch.next())).to.be.instanceOf(Unreachable)
    })
  })
})

function nobody(): Promise<Credentials> {
  return Promise.resolve({ tls: {}, headers: {} })
}

function loggedOut(): Promise<Credentials> {
  return Promise.reject(new Error('log in first'))
}

/** Ends the connection in the middle of a body, and of a character. */
function cutOff(...[request, response]: Parameters<RequestListener>): void {
  response.writeHead(200, { 'Content-Length': '100' })
  response.write(Buffer.from('{"text":"ä').subarray(0, -1))
  setTimeout(() => request.socket.destroy(), 5)
}

const onlyNew: RequestListener = (request, response) =>
  void (request.headers.authorization === 'Bearer new' ? response.end('{"ok":1}\n') : response.writeHead(401).end())
