import { expect } from 'chai'
import * as fc from 'fast-check'
import {
  type ClusterError,
  Forbidden,
  Gone,
  Malformed,
  ServerError,
  TooManyRequests,
  Unauthorized,
  Unavailable,
  Unreachable,
} from '../../src/cluster/errors.ts'
import type { Change, KubeObject, ObjectKey } from '../../src/cluster/ports.ts'
import { Reflector, type ReflectorOptions } from '../../src/cluster/reflector.ts'
import { resources } from '../../src/cluster/resources.ts'
import type { CallOptions, Transport, WatchOptions } from '../../src/cluster/transport.ts'
import { type Fields, silentLog } from '../../src/runtime/log.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { heapInUse } from '../support/own-process.ts'

const request = { method: 'GET', path: '/fake' }
const lost = (): ClusterError => new Unreachable(request, 'connection reset')

interface Event {
  readonly type: string
  readonly object: object
  readonly version: number
}

/** One open watch. */
interface Stream {
  /** What it has not delivered yet. */
  readonly pending: Event[]
  /** Set when it is to end after that; no failure: in order. */
  ended: { readonly failure: Error | null } | null
  readonly wake: () => void
}

/** An API server that holds objects of one type in memory, and misbehaves as it is told. */
class FakeApi implements Pick<Transport, 'call' | 'watch'> {
  readonly objects = new Map<string, KubeObject>()
  readonly calls: string[] = []
  /** The form of answer that each of them asked for. */
  readonly accepted: (string | undefined)[] = []
  readonly #history: Event[] = []
  readonly #streams = new Set<Stream>()
  /** Thrown by the next calls, lists and watches alike, one each. */
  readonly failures: Error[] = []
  /** Keeps what happens from the watches. */
  isDeaf = false
  /** No list is answered before release(). */
  holdsLists = false
  readonly #held: ((failure?: Error) => void)[] = []
  /** Of each watch. */
  readonly signals: WeakRef<AbortSignal>[] = []
  /** Ends each watch as soon as it is opened. */
  hangsUp = false
  #version = 100
  #compacted = 0
  #uids = 0

  put(name: string, fields: object = {}): KubeObject {
    const before = this.objects.get(name)
    const version = ++this.#version
    const uid = before?.metadata.uid ?? `uid-${++this.#uids}`
    const object = { metadata: { namespace: 'ns', name, uid, resourceVersion: String(version), ...fields } }
    this.objects.set(name, object)
    this.#send({ type: before === undefined ? 'ADDED' : 'MODIFIED', object, version })
    return object
  }

  remove(name: string): void {
    const object = this.objects.get(name)
    if (object === undefined) return
    const version = ++this.#version
    this.objects.delete(name)
    this.#send({
      type: 'DELETED',
      object: { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } },
      version,
    })
  }

  bookmark(): void {
    this.#send({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(this.#version) } },
      version: this.#version,
    })
  }

  /** Whatever the watches have to take, as it is. */
  emit(event: object): void {
    for (const stream of this.#streams) {
      stream.pending.push(event as Event)
      stream.wake()
    }
  }

  /** Forgets everything that happened so far. */
  compact(): void {
    this.#compacted = this.#version
    this.#history.length = 0
  }

  /** null: the watches end in order. */
  endWatches(failure: Error | null): void {
    for (const stream of this.#streams) {
      stream.ended = { failure }
      stream.wake()
    }
  }

  /** Answers what is held, as things were when it was asked for. */
  release(failure?: Error): void {
    for (const answer of this.#held.splice(0)) answer(failure)
  }

  get openWatches(): number {
    return this.#streams.size
  }

  call(_: string, path: string, __?: object, { accept }: CallOptions = {}): Promise<unknown> {
    this.calls.push(`list ${path}`)
    this.accepted.push(accept)
    const failure = this.failures.shift()
    if (failure !== undefined) return Promise.reject(failure)
    const items = [...this.objects.values()]
    const list = structuredClone({ metadata: { resourceVersion: String(this.#version) }, items })
    if (!this.holdsLists) return Promise.resolve(list)
    return new Promise((resolve, reject) =>
      this.#held.push((error) => (error === undefined ? resolve(list) : reject(error))),
    )
  }

  async *watch(path: string, { signal, accept }: WatchOptions): AsyncGenerator {
    this.calls.push(`watch ${path}`)
    this.accepted.push(accept)
    this.signals.push(new WeakRef(signal))
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
    if (this.hangsUp) return
    const from = Number(new URLSearchParams(path.split('?')[1]).get('resourceVersion'))
    if (from < this.#compacted) throw new Gone(request, 'too old resource version')
    let arrived = Promise.withResolvers<void>()
    const stream: Stream = {
      pending: this.#history.filter(({ version }) => version > from),
      ended: signal.aborted ? { failure: lost() } : null,
      wake: () => arrived.resolve(),
    }
    this.#streams.add(stream)
    signal.addEventListener('abort', () => {
      stream.ended = { failure: lost() }
      stream.wake()
    })
    try {
      for (;;) {
        for (let event = stream.pending.shift(); event !== undefined; event = stream.pending.shift()) {
          yield structuredClone({ type: event.type, object: event.object })
        }
        if (stream.ended?.failure === null) return
        if (stream.ended !== null) throw stream.ended.failure
        arrived = Promise.withResolvers<void>()
        await arrived.promise
      }
    } finally {
      this.#streams.delete(stream)
    }
  }

  #send(event: Event): void {
    this.#history.push(event)
    if (!this.isDeaf) this.emit(event)
  }
}

function namesOf(objects: readonly KubeObject[]): readonly string[] {
  return objects.map(({ metadata }) => metadata.name)
}

function keyOf(name: string): ObjectKey {
  return { namespace: 'ns', name }
}

function sentenceOf({ key, before, after }: Change<KubeObject>): string {
  if (before === null) return `${key.name} created`
  return after === null ? `${key.name} deleted` : `${key.name} changed`
}

describe('the reflector', () => {
  let api: FakeApi
  let clock: FakeClock
  let seen: string[]
  let reflector: Reflector
  const reflectors: Reflector[] = []

  beforeEach(() => {
    api = new FakeApi()
    clock = new FakeClock()
    seen = []
    reflector = make()
    reflector.subscribe((change) => seen.push(sentenceOf(change)))
  })
  afterEach(() => Promise.all(reflectors.splice(0).map((each) => each.stop())))

  function make(options: Partial<ReflectorOptions<KubeObject>> = {}): Reflector {
    const all = { type: resources.nhiGrants, transport: api, clock, log: silentLog, random: () => 0.5, ...options }
    const made = new Reflector(all)
    reflectors.push(made)
    return made
  }

  async function sync(): Promise<void> {
    reflector.start()
    await clock.advance(0)
    expect(reflector.hasSynced).to.equal(true)
  }

  function kinds(): readonly string[] {
    return api.calls.map((call) => call.split(' ', 1)[0] ?? '')
  }

  /** What has become of a refresh by now. */
  async function stateOf(refreshed: Promise<void>): Promise<string> {
    const state = refreshed.then(
      () => 'listed',
      (error: Error) => error.message,
    )
    await clock.advance(0)
    return Promise.race([state, Promise.resolve('under way')])
  }

  it('has not synced before the first complete list', async () => {
    api.failures.push(lost(), lost())
    let synced = false
    const waiting = reflector.whenSynced().then(() => (synced = true))
    reflector.start()
    await clock.advance(0)
    expect([reflector.hasSynced, synced]).to.deep.equal([false, false])
    await clock.advance(1_000)
    await waiting
    expect(reflector.hasSynced).to.equal(true)
  })

  it('shows what is there, and every change to it', async () => {
    api.put('a')
    await sync()
    api.put('b')
    api.put('a')
    api.remove('a')
    await clock.advance(0)
    expect(seen).to.deep.equal(['a created', 'b created', 'a changed', 'a deleted'])
    expect(namesOf(reflector.list())).to.deep.equal(['b'])
    expect(reflector.get(keyOf('a'))).to.equal(null)
  })

  it('lists anew after each change', async () => {
    await sync()
    const listed = [namesOf(reflector.list())]
    for (const change of [() => api.put('a'), () => api.put('b'), () => api.remove('a')]) {
      change()
      await clock.advance(0)
      listed.push(namesOf(reflector.list()))
    }
    expect(listed).to.deep.equal([[], ['a'], ['a', 'b'], ['b']])
  })

  it('gives the items of a list the kind that they lack', async () => {
    api.put('a')
    await sync()
    expect(reflector.get(keyOf('a'))).to.include({ apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant' })
  })

  it('tells a late subscriber of what is there already', async () => {
    api.put('a')
    await sync()
    const late: string[] = []
    reflector.subscribe((change) => late.push(sentenceOf(change)))
    expect(late).to.deep.equal(['a created'])
  })

  it('tells whoever subscribes while others are told of each object once', async () => {
    api.put('a')
    api.put('b')
    const late: string[] = []
    let subscribed = false
    reflector.subscribe(() => {
      if (!subscribed) reflector.subscribe((change) => late.push(sentenceOf(change)))
      subscribed = true
    })
    await sync()
    expect(late).to.deep.equal(['a created', 'b created'])
  })

  it('shows a change in the cache before it tells of it', async () => {
    await sync()
    const shown: unknown[] = []
    reflector.subscribe(({ key: changed, after }) => shown.push(reflector.get(changed) === after))
    api.put('a')
    api.remove('a')
    await clock.advance(0)
    expect(shown).to.deep.equal([true, true])
  })

  it('asks for pages, bookmarks and a watch that ends by itself after five to ten minutes', async () => {
    await sync()
    expect(api.calls[0]).to.equal('list /apis/lapse.dev/v1alpha1/nhigrants?limit=500')
    const parameters = new URLSearchParams(api.calls[1]?.split('?')[1])
    expect(parameters.get('allowWatchBookmarks')).to.equal('true')
    expect(Number(parameters.get('timeoutSeconds'))).to.be.within(300, 600)
    expect(parameters.get('resourceVersion')).to.equal('100')
  })

  it('keeps neither managedFields nor the last applied configuration', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'lapse.dev/not-after': 'then' }
    api.put('a', { managedFields: [{ manager: 'x' }], annotations })
    await sync()
    api.put('b', { managedFields: [{ manager: 'x' }] })
    await clock.advance(0)
    for (const { metadata } of reflector.list()) expect(metadata).not.to.have.property('managedFields')
    expect(reflector.get(keyOf('a'))?.metadata.annotations).to.deep.equal({ 'lapse.dev/not-after': 'then' })
  })

  it('keeps what the transformation makes of an object', async () => {
    api.put('a')
    const type = resources.nhiGrants
    const names = new Reflector({
      type,
      transport: api,
      clock,
      log: silentLog,
      random: () => 0.5,
      transform: ({ metadata }) => metadata.name.toUpperCase(),
    })
    names.start()
    await names.whenSynced()
    expect(names.list()).to.deep.equal(['A'])
    await names.stop()
  })

  describe('when the watch breaks', () => {
    it('opens it again where it stopped, without a list', async () => {
      await sync()
      api.put('a')
      await clock.advance(0)
      api.endWatches(lost())
      api.put('b')
      await clock.advance(1_000)
      expect(seen).to.deep.equal(['a created', 'b created'])
      expect(kinds()).to.deep.equal(['list', 'watch', 'watch'])
    })

    it('goes on from the last bookmark', async () => {
      await sync()
      api.put('a')
      api.bookmark()
      await clock.advance(0)
      api.endWatches(lost())
      await clock.advance(1_000)
      expect(api.calls.at(-1)).to.contain('resourceVersion=101')
    })

    it('goes on at once after an end in order', async () => {
      await sync()
      await clock.advance(300_000)
      api.endWatches(null)
      await clock.advance(0)
      expect(api.openWatches).to.equal(1)
    })

    it('backs off when the server ends each watch as soon as it is opened', async () => {
      api.hangsUp = true
      reflector.start()
      await clock.advance(60_000)
      expect(api.calls.length, 'requests in a minute').to.be.below(120)
    })

    for (const [what, failure] of [
      ['the place in the stream is forgotten (410)', new Gone(request, 'expired')],
      ['the server fails', new ServerError(request, 'etcd is away', 500)],
      ['the answer is malformed', new Malformed(request, 'the answer is malformed')],
      ['the server refuses the watch', new Forbidden(request, 'no')],
    ] as const) {
      it(`lists again, once, when ${what}`, async () => {
        api.put('a')
        api.put('b')
        await sync()
        api.endWatches(failure)
        api.remove('a')
        api.put('c')
        await clock.advance(1_000)
        expect(seen).to.deep.equal(['a created', 'b created', 'a deleted', 'c created'])
        expect(kinds()).to.deep.equal(['list', 'watch', 'list', 'watch'])
      })
    }

    for (const [what, failure] of [
      ['the connection is lost', lost()],
      ['a load balancer has no server behind it', new Unavailable(request, 'bad gateway', 502)],
      ['the server is not ready', new Unavailable(request, 'shutting down', 503)],
      ['the server throttles', new TooManyRequests(request, 'later', 100)],
      ['the credentials are not accepted', new Unauthorized(request, 'who?')],
    ] as const) {
      it(`goes on at its place, without a list, when ${what}`, async () => {
        api.put('a')
        await sync()
        api.endWatches(lost())
        api.failures.push(failure)
        await clock.advance(0)
        api.put('b')
        await clock.advance(1_000)
        expect(seen).to.deep.equal(['a created', 'b created'])
        expect(kinds()).to.deep.equal(['list', 'watch', 'watch', 'watch'])
        expect(api.calls.at(-1)).to.contain('resourceVersion=101&')
      })
    }

    it('lists again after an hour of failures that say nothing of its place', async () => {
      await sync()
      api.endWatches(lost())
      api.failures.push(...Array.from({ length: 10_000 }, () => new Unavailable(request, 'bad gateway', 502)))
      await clock.advance(3_598_000)
      expect(api.calls.filter((call) => call.startsWith('list'))).to.have.length(1)
      await clock.advance(4_000)
      expect(api.calls.at(-1)).to.match(/^list /)
      api.failures.length = 0
      await clock.advance(2_000)
      expect(api.openWatches).to.equal(1)
    })

    it('is back two seconds after a load balancer that had no server for ten minutes has one', async () => {
      await sync()
      api.failures.push(...Array.from({ length: 10_000 }, (_, n) => new Unavailable(request, 'no', 502 + (n % 3))))
      api.endWatches(lost())
      await clock.advance(600_000)
      api.failures.length = 0
      api.put('a')
      await clock.advance(2_000)
      expect(seen).to.deep.equal(['a created'])
    })

    it('heeds half a minute of what a throttling server asks for, and no more', async () => {
      await sync()
      api.failures.push(new TooManyRequests(request, 'tomorrow', 86_400_000))
      api.endWatches(lost())
      await clock.advance(31_000)
      expect(api.openWatches).to.equal(1)
    })

    it('lists again when 410 comes as an event', async () => {
      await sync()
      api.emit({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } })
      api.put('a')
      await clock.advance(1_000)
      expect(seen).to.deep.equal(['a created'])
      expect(api.calls.filter((call) => call.startsWith('list'))).to.have.length(2)
    })

    it('lists again rather than guess at an event of an unknown type', async () => {
      await sync()
      api.emit({ type: 'RENAMED', object: { metadata: { name: 'a', resourceVersion: '1' } } })
      await clock.advance(1_000)
      expect(api.calls.filter((call) => call.startsWith('list'))).to.have.length(2)
    })

    it('sees an object that was replaced by a namesake meanwhile as deleted and created', async () => {
      const first = api.put('a')
      await sync()
      const changes: Change<KubeObject>[] = []
      reflector.subscribe((change) => changes.push(change))
      changes.length = 0
      api.endWatches(lost())
      api.remove('a')
      const second = api.put('a')
      api.compact()
      await clock.advance(1_000)
      expect(seen).to.deep.equal(['a created', 'a deleted', 'a created'])
      expect(changes.map(({ before, after }) => [before?.metadata.uid, after?.metadata.uid])).to.deep.equal([
        [first.metadata.uid, undefined],
        [undefined, second.metadata.uid],
      ])
    })

    it('waits as long as a throttling server asks for', async () => {
      await sync()
      api.failures.push(new TooManyRequests(request, 'later', 20_000))
      api.endWatches(lost())
      await clock.advance(19_000)
      expect(api.calls).to.have.length(3)
      await clock.advance(3_000)
      expect(api.calls).to.have.length(4)
    })

    it('tries every second and a half at most while nobody answers, and goes on as soon as somebody does', async () => {
      await sync()
      api.failures.push(...Array.from({ length: 1_000 }, lost))
      api.endWatches(lost())
      await clock.advance(60_000)
      expect(api.calls.length, 'requests in a minute').to.be.within(40, 70)
      api.failures.length = 0
      api.put('a')
      await clock.advance(1_500)
      expect(seen).to.deep.equal(['a created'])
    })

    it('goes on fast after a fault that follows a long one, once it has heard of a change', async () => {
      await sync()
      api.failures.push(...Array.from({ length: 20 }, lost))
      api.endWatches(lost())
      await clock.advance(60_000)
      api.put('a')
      await clock.advance(0)
      api.endWatches(lost())
      await clock.advance(100)
      expect(api.openWatches).to.equal(1)
    })

    it('backs off to half a minute from a server that refuses', async () => {
      api.failures.push(...Array.from({ length: 1_000 }, () => new Forbidden(request, 'no')))
      reflector.start()
      await clock.advance(600_000)
      expect(api.calls.length, 'requests in ten minutes').to.be.within(20, 45)
    })

    it('says so in the log and the metrics', async () => {
      const lines: [string, Fields | undefined][] = []
      const restarts: string[] = []
      const observed = make({
        log: { ...silentLog, warn: (message, fields) => void lines.push([message, fields]) },
        observer: {
          watchRestarted: (resource) => void restarts.push(resource),
          handlerFailed: () => {},
          cacheAge: () => {},
        },
      })
      observed.start()
      await clock.advance(0)
      const failure = lost()
      api.endWatches(failure)
      await clock.advance(0)
      expect(lines).to.deep.equal([['watch broken', { resource: 'nhigrants', retryInMs: 75, error: failure }]])
      expect(restarts).to.deep.equal(['nhigrants'])
    })
  })

  it('counts and logs a subscriber that throws, and goes on', async () => {
    const lines: unknown[] = []
    const failed: string[] = []
    const robust = make({
      log: { ...silentLog, error: (message, fields) => void lines.push([message, fields?.['name']]) },
      observer: {
        watchRestarted: () => {},
        handlerFailed: (resource) => void failed.push(resource),
        cacheAge: () => {},
      },
    })
    const others: string[] = []
    robust.subscribe(() => {
      throw new Error('a defect')
    })
    robust.subscribe((change) => others.push(sentenceOf(change)))
    api.put('a')
    robust.start()
    await clock.advance(0)
    api.put('b')
    await clock.advance(0)
    expect(others).to.deep.equal(['a created', 'b created'])
    expect(lines).to.deep.equal([
      ['cache subscriber failed', 'a'],
      ['cache subscriber failed', 'b'],
    ])
    expect(failed).to.have.length(2)
    expect(api.calls, 'the stream was not broken').to.have.length(2)
  })

  it('knows when it last heard the server, from bookmarks too', async () => {
    expect(reflector.age).to.equal(null)
    await sync()
    expect(reflector.age).to.equal(0)
    await clock.advance(60_000)
    api.bookmark()
    await clock.advance(0)
    expect(reflector.age).to.equal(0)
    clock.jump(-3_600_000)
    await clock.advance(10_000)
    expect(reflector.age, 'whatever the wall clock says').to.equal(10_000)
  })

  it('lists anew after an hour, and repeats nothing', async () => {
    api.put('a')
    await sync()
    for (const after of [1_800_000, 1_799_000, 1_000]) {
      await clock.advance(after)
      api.endWatches(null)
      await clock.advance(0)
    }
    expect(kinds()).to.deep.equal(['list', 'watch', 'watch', 'watch', 'list', 'watch'])
    expect(seen).to.deep.equal(['a created'])
  })

  it('asks for one object only, and for metadata only, in list and watch alike', async () => {
    const narrow = make({ type: resources.leases, namespace: 'ns', name: 'a', form: 'metadata' })
    narrow.start()
    await clock.advance(0)
    const asked = api.calls.map((call) => new URLSearchParams(call.split('?')[1]).get('fieldSelector'))
    expect(asked).to.deep.equal(['metadata.name=a', 'metadata.name=a'])
    expect(api.accepted).to.deep.equal([
      'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
      'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    ])
  })

  it('calls an object by its own kind when it has only the metadata of it', async () => {
    const narrow = make({ form: 'metadata' })
    narrow.start()
    await clock.advance(0)
    api.put('a', { labels: { of: 'the watch' } })
    const object = api.objects.get('a')!
    api.emit({ type: 'ADDED', object: { ...object, kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' } })
    await clock.advance(0)
    expect(narrow.get(keyOf('a'))).to.include({ apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant' })
  })

  describe('waiting for an object', () => {
    it('ends at once when it is there', async () => {
      api.put('a')
      await sync()
      expect(await reflector.waitFor(keyOf('a'), 0)).to.equal(true)
    })

    it('ends when it comes, also for several who wait', async () => {
      await sync()
      const both = Promise.all([reflector.waitFor(keyOf('a'), 1_000), reflector.waitFor(keyOf('a'), 2_000)])
      api.put('a')
      await clock.advance(0)
      expect(await both).to.deep.equal([true, true])
      expect(clock.pending, 'timers left').to.equal(0)
    })

    it('ends with no after the time that was given', async () => {
      await sync()
      const waiting = reflector.waitFor(keyOf('a'), 200)
      api.put('b')
      await clock.advance(200)
      expect(await waiting).to.equal(false)
    })

    it('ends with no when the reflector stops', async () => {
      await sync()
      const waiting = reflector.waitFor(keyOf('a'), 200)
      await reflector.stop()
      expect(await waiting).to.equal(false)
      expect(await reflector.waitFor(keyOf('a'), 200)).to.equal(false)
    })
  })

  describe('refreshed', () => {
    it('lists anew at once, tells what has changed, watches on from there, and then says so', async () => {
      api.put('a')
      await sync()
      api.isDeaf = true
      api.put('b')
      await clock.advance(0)
      expect(seen, 'the watch lags').to.deep.equal(['a created'])
      let told: readonly string[] = []
      const refreshed = reflector.refresh().then(() => (told = [...seen]))
      await clock.advance(0)
      await refreshed
      expect(told).to.deep.equal(['a created', 'b created'])
      expect(kinds()).to.deep.equal(['list', 'watch', 'list', 'watch'])
      expect(api.calls.at(-1)).to.contain('resourceVersion=102&')
      expect([api.openWatches, clock.pending]).to.deep.equal([1, 0])
    })

    it('is no failure of the watch: nothing is logged, counted or waited for', async () => {
      const lines: string[] = []
      const observer = { watchRestarted: () => lines.push('restarted'), handlerFailed: () => {}, cacheAge: () => {} }
      const observed = make({ log: { ...silentLog, warn: (message) => void lines.push(message) }, observer })
      observed.start()
      await clock.advance(0)
      expect(await stateOf(observed.refresh())).to.equal('listed')
      expect(lines).to.deep.equal([])
    })

    it('by several at once lists once for all', async () => {
      await sync()
      const refreshed = [reflector.refresh(), reflector.refresh(), reflector.refresh()]
      expect(await Promise.all(refreshed.map(stateOf))).to.deep.equal(['listed', 'listed', 'listed'])
      expect(kinds()).to.deep.equal(['list', 'watch', 'list', 'watch'])
    })

    it('while it lists is content with the next list only', async () => {
      api.holdsLists = true
      reflector.start()
      await clock.advance(0)
      const early = reflector.refresh()
      api.release()
      expect(await stateOf(early), 'the list had begun before').to.equal('under way')
      expect(kinds()).to.deep.equal(['list', 'list'])
      const late = reflector.refresh()
      api.put('a')
      api.release()
      expect([await stateOf(early), await stateOf(late)]).to.deep.equal(['listed', 'under way'])
      api.release()
      expect(await stateOf(late)).to.equal('listed')
      expect(kinds()).to.deep.equal(['list', 'list', 'list', 'watch'])
      expect(seen).to.deep.equal(['a created'])
    })

    it('by a subscriber, who hears of a list, is content with the next', async () => {
      await sync()
      let refreshed: Promise<void> | null = null
      reflector.subscribe(() => {
        refreshed ??= reflector.refresh()
      })
      api.put('a')
      await clock.advance(0)
      expect(await stateOf(refreshed!)).to.equal('listed')
      expect(kinds()).to.deep.equal(['list', 'watch', 'list', 'watch'])
    })

    it('in a back-off waits it out, however often', async () => {
      await sync()
      api.failures.push(new TooManyRequests(request, 'later', 20_000))
      api.endWatches(lost())
      await clock.advance(1_000)
      expect(kinds()).to.deep.equal(['list', 'watch', 'watch'])
      const refreshed = [reflector.refresh(), reflector.refresh()]
      await clock.advance(18_000)
      expect(kinds()).to.deep.equal(['list', 'watch', 'watch'])
      await clock.advance(2_000)
      expect(await Promise.all(refreshed.map(stateOf))).to.deep.equal(['listed', 'listed'])
      expect(kinds()).to.deep.equal(['list', 'watch', 'watch', 'list', 'watch'])
    })

    it('goes on to be asked for while lists fail, with the pauses of a back-off', async () => {
      await sync()
      api.failures.push(...Array.from({ length: 5 }, lost))
      const refreshed = reflector.refresh()
      expect(await stateOf(refreshed)).to.equal('under way')
      expect(kinds(), 'no second try without a pause').to.deep.equal(['list', 'watch', 'list'])
      await clock.advance(10_000)
      expect(await stateOf(refreshed)).to.equal('listed')
      expect(kinds().slice(2)).to.deep.equal([...Array.from({ length: 6 }, () => 'list'), 'watch'])
    })

    it('while a list fails does not spare it the pause', async () => {
      await sync()
      api.holdsLists = true
      const refreshed = reflector.refresh()
      await clock.advance(0)
      const another = reflector.refresh()
      api.release(lost())
      await clock.advance(0)
      expect(kinds()).to.deep.equal(['list', 'watch', 'list'])
      await clock.advance(100)
      expect(kinds()).to.deep.equal(['list', 'watch', 'list', 'list'])
      api.release()
      expect([await stateOf(refreshed), await stateOf(another)]).to.deep.equal(['listed', 'listed'])
    })

    it('before the start waits for the first list', async () => {
      const refreshed = reflector.refresh()
      await clock.advance(60_000)
      expect(await stateOf(refreshed)).to.equal('under way')
      reflector.start()
      expect(await stateOf(refreshed)).to.equal('listed')
      expect(kinds()).to.deep.equal(['list', 'watch'])
    })

    const stops: readonly { readonly when: string; readonly begin: () => Promise<void> }[] = [
      { when: 'before the start', begin: () => Promise.resolve() },
      {
        when: 'in the list',
        begin: async () => {
          await sync()
          api.holdsLists = true
        },
      },
      {
        when: 'in a back-off',
        begin: async () => {
          await sync()
          api.failures.push(...Array.from({ length: 10 }, lost))
          api.endWatches(lost())
        },
      },
    ]
    for (const { when, begin } of stops) {
      it(`rejects when it is stopped ${when}, and lists no more`, async () => {
        await begin()
        await clock.advance(0)
        const refreshed = reflector.refresh()
        expect(await stateOf(refreshed)).to.equal('under way')
        const stopping = reflector.stop()
        expect(await stateOf(refreshed)).to.equal('the cache of nhigrants was stopped before it had listed anew')
        api.release()
        await stopping
        const before = kinds().length
        await clock.advance(60_000)
        expect([kinds().length, api.openWatches, clock.pending]).to.deep.equal([before, 0, 0])
        expect(seen).to.deep.equal([])
      })
    }

    it('after the stop rejects, which nobody has to hear', async () => {
      await sync()
      void reflector.refresh()
      await reflector.stop()
      void reflector.refresh()
      expect(await stateOf(reflector.refresh())).to.equal(
        'the cache of nhigrants was stopped before it had listed anew',
      )
    })
  })

  it('gathers nothing of the watches that ended', async () => {
    await sync()
    for (let n = 0; n < 100; n++) {
      api.endWatches(n % 2 === 0 ? lost() : null)
      await clock.advance(2_000)
      await (n % 3 === 0 ? Promise.all([reflector.refresh(), clock.advance(0)]) : null)
    }
    expect(api.signals.length).to.be.above(100)
    heapInUse()
    await clock.advance(0)
    heapInUse()
    expect(api.signals.filter((signal) => signal.deref() !== undefined).length).to.be.below(10)
  })

  describe('stopping', () => {
    it('ends the watch and tells nobody of anything any more', async () => {
      await sync()
      await reflector.stop()
      api.put('a')
      await clock.advance(10_000)
      expect(seen).to.be.empty
      expect(api.openWatches).to.equal(0)
      expect(clock.pending, 'timers left').to.equal(0)
    })

    it('inside of a subscriber is the last that any subscriber hears', async () => {
      const heard: string[] = []
      reflector.subscribe((change) => {
        heard.push(sentenceOf(change))
        void reflector.stop()
      })
      api.put('a')
      api.put('b')
      reflector.start()
      await clock.advance(0)
      expect(heard).to.deep.equal(['a created'])
      expect(seen).to.deep.equal(['a created'])
    })

    it('ends a back-off, and whoever waits for the sync is told', async () => {
      api.failures.push(lost())
      reflector.start()
      await clock.advance(0)
      const waiting = reflector.whenSynced().then(
        () => 'synced',
        (error: Error) => error.message,
      )
      await reflector.stop()
      expect(await waiting).to.equal('the cache of nhigrants was stopped before it had synced')
      expect(clock.pending, 'timers left').to.equal(0)
    })

    it('works before the start and twice', async () => {
      await Promise.all([reflector.stop(), reflector.stop()])
      reflector.start()
      await clock.advance(1_000)
      expect(api.calls).to.be.empty
    })
  })
})

type Step =
  | { readonly do: 'put' | 'remove' | 'replace'; readonly name: string }
  | { readonly do: 'reset' | 'end' | 'compact' | 'forget' | 'bookmark' | 'fail' | 'refuse' }
  | { readonly do: 'wait'; readonly by: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('put', 'remove', 'replace'), name: fc.constantFrom('a', 'b', 'c') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('reset', 'end', 'compact', 'forget', 'bookmark', 'fail', 'refuse') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), by: fc.integer({ min: 0, max: 3_000 }) }) },
)

async function take(step: Step, api: FakeApi, clock: FakeClock): Promise<void> {
  switch (step.do) {
    case 'put':
      return void api.put(step.name)
    case 'remove':
      return api.remove(step.name)
    case 'replace':
      api.remove(step.name)
      return void api.put(step.name)
    case 'reset':
      return api.endWatches(lost())
    case 'end':
      return api.endWatches(null)
    case 'forget':
      return api.endWatches(new Gone(request, 'expired'))
    case 'compact':
      return api.compact()
    case 'bookmark':
      return api.bookmark()
    case 'fail':
      return void api.failures.push(lost())
    case 'refuse':
      return void api.failures.push(new Unavailable(request, 'no leader', 503))
    case 'wait':
      return clock.advance(step.by)
    default:
      return step satisfies never
  }
}

/** What identifies each version, in order. */
function versions(objects: Iterable<KubeObject>): readonly string[] {
  return Array.from(objects, ({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`).sort()
}

describe('the reflector under any sequence of changes and faults', () => {
  it('ends up with what the server has, by a history in which nothing is lost or told twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60, size: 'max' }), async (steps) => {
        const api = new FakeApi()
        const clock = new FakeClock()
        const told = new Map<string, KubeObject>()
        const violations: string[] = []
        const reflector = new Reflector({
          type: resources.nhiGrants,
          transport: api,
          clock,
          log: silentLog,
          random: () => 0.5,
        })
        reflector.subscribe(({ key: { name }, before, after }) => {
          if ((told.get(name) ?? null) !== before) violations.push(`${name}: a change from what was never told`)
          if (before !== null && after !== null && before.metadata.uid !== after.metadata.uid) {
            violations.push(`${name}: another UID without a deletion`)
          }
          if (after === null) told.delete(name)
          else told.set(name, after)
        })
        reflector.start()
        for (const step of steps) await take(step, api, clock)
        await clock.advance(120_000)

        expect(violations).to.deep.equal([])
        expect(versions(reflector.list())).to.deep.equal(versions(api.objects.values()))
        expect(versions(told.values())).to.deep.equal(versions(api.objects.values()))
        await reflector.stop()
        expect([api.openWatches, clock.pending], 'watches and timers left').to.deep.equal([0, 0])
      }),
      { seed: 20_261_103, numRuns: 200 },
    )
  }).timeout(30_000)
})
