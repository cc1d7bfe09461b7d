import { once } from 'node:events'
import { expect } from 'chai'
import { Forbidden, NotFound, Unreachable } from '../../src/cluster/errors.ts'
import { KubeObjectWatcher } from '../../src/cluster/object-watcher.ts'
import type { KubeObject, WatchedObject } from '../../src/cluster/ports.ts'
import type { Transport } from '../../src/cluster/transport.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { FakeClock } from '../support/fake-clock.ts'

const request = { method: 'GET', path: '/fake' }
const crew = { apiVersion: 'crew.example.com/v1', kind: 'Crew', namespace: 'payments', name: 'api' }
const object = { metadata: { namespace: 'payments', name: 'api', uid: 'crew-1', resourceVersion: '7' } }
const served = { resources: [{ name: 'crews', kind: 'Crew', namespaced: true }] }
const forbidden = new Forbidden(request, 'crews is forbidden')

/** Answers discovery and lists as it is told to; its watches stay open, and silent, until they are broken. */
class FakeApi implements Pick<Transport, 'call' | 'watch'> {
  readonly paths: string[] = []
  discovery: object | Error = served
  items: readonly KubeObject[] | Error = []
  open = 0
  breakWatches: (error: Error) => void = () => {}

  call(_: string, path: string): Promise<unknown> {
    this.paths.push(path)
    const isList = path.includes('?')
    const answer = isList ? this.items : this.discovery
    if (answer instanceof Error) return Promise.reject(answer)
    return Promise.resolve(isList ? { metadata: { resourceVersion: '10' }, items: answer } : answer)
  }

  async *watch(_: string, { signal }: { readonly signal: AbortSignal }): AsyncGenerator {
    this.open++
    const broken = Promise.withResolvers<never>()
    this.breakWatches = broken.reject
    try {
      await Promise.race([once(signal, 'abort'), broken.promise])
    } finally {
      this.open--
    }
    yield* []
  }
}

describe('KubeObjectWatcher', () => {
  let api: FakeApi
  let clock: FakeClock
  let sights: string[]
  let watched: WatchedObject
  beforeEach(() => {
    api = new FakeApi()
    clock = new FakeClock()
    sights = []
  })
  afterEach(() => watched.stop())

  const saying = (): string => {
    const { sight } = watched
    return sight.kind === 'Unreadable' ? `Unreadable: ${sight.message}` : sight.kind
  }
  const start = (reference = crew): Promise<void> => {
    const watcher = new KubeObjectWatcher({ transport: api, clock, log: silentLog, random: () => 0 })
    watched = watcher.watch(reference, () => sights.push(saying()))
    expect(saying()).to.equal('Unread')
    return clock.advance(0)
  }
  const noticed = async (): Promise<void> => {
    sights = []
    await clock.advance(30_000)
  }

  it('asks for the one object, by the resource of its kind', async () => {
    api.items = [object]
    await start()
    expect(watched.sight).to.deep.include({ kind: 'Present' }).and.have.nested.property('object.metadata.uid', 'crew-1')
    expect(api.paths[0]).to.equal('/apis/crew.example.com/v1')
    const { pathname, searchParams } = new URL(api.paths[1]!, 'http://127.0.0.1')
    expect(pathname).to.equal('/apis/crew.example.com/v1/namespaces/payments/crews')
    expect(searchParams.get('fieldSelector')).to.equal('metadata.name=api')
  })

  it('tells that there is none, though no change comes', async () => {
    await start()
    expect(sights).to.include('Absent')
  })

  it('says why it may not be read, tries on, and takes it back when it may', async () => {
    api.items = forbidden
    await start()
    expect(sights).to.deep.equal(['Unreadable: the operator may not read it: crews is forbidden (GET /fake)'])
    api.items = [object]
    await noticed()
    expect(sights.at(-1)).to.equal('Present')
  })

  it('says nothing any more of what was seen before it became unreadable', async () => {
    api.items = [object]
    await start()
    api.items = forbidden
    api.breakWatches(forbidden)
    await noticed()
    expect(sights.at(-1)).to.match(/^Unreadable: the operator may not read it/)
  })

  it('goes on saying what it saw while the API server is away', async () => {
    api.items = [object]
    await start()
    api.items = new Unreachable(request, 'connection refused')
    api.breakWatches(new Unreachable(request, 'connection reset'))
    await noticed()
    expect(saying()).to.equal('Present')
  })

  it('sees that it was deleted while the API server was away', async () => {
    api.items = [object]
    await start()
    api.items = []
    api.breakWatches(forbidden)
    await noticed()
    expect(sights).to.include('Absent')
  })

  it('waits for a kind that is not served', async () => {
    api.discovery = new NotFound(request, 'not found', 'resource')
    await start()
    expect(sights).to.deep.equal(['Unreadable: the cluster does not serve its kind'])
    api.discovery = served
    await noticed()
    expect(sights.at(-1)).to.equal('Absent')
  })

  it('does not look for what is in no namespace', async () => {
    api.discovery = { resources: [{ name: 'crews', kind: 'Crew', namespaced: false }] }
    await start()
    expect(saying()).to.equal('Unreadable: it is in no namespace')
    expect(api.paths).to.have.length(1)
  })

  it('does not know yet while discovery fails', async () => {
    api.discovery = new Unreachable(request, 'connection refused')
    await start()
    expect(saying()).to.equal('Unread')
    api.discovery = served
    await noticed()
    expect(saying()).to.equal('Absent')
  })

  it('leaves nothing running and tells nothing once it is stopped, whatever it waits for', async () => {
    const readings: readonly (() => void)[] = [
      () => {},
      () => (api.items = forbidden),
      () => (api.discovery = new NotFound(request, 'not found', 'resource')),
    ]
    for (const reading of readings) {
      reading()
      await start()
      await watched.stop()
      expect(api.open).to.equal(0)
      expect(clock.pending).to.equal(0)
      await noticed()
      expect(sights).to.deep.equal([])
    }
  })

  it('can be stopped before it has found its kind', async () => {
    const watcher = new KubeObjectWatcher({ transport: api, clock, log: silentLog, random: () => 0 })
    watched = watcher.watch(crew, () => sights.push('told'))
    await watched.stop()
    await clock.advance(30_000)
    expect(api.paths).to.deep.equal(['/apis/crew.example.com/v1'])
    expect(sights).to.deep.equal([])
  })
})
