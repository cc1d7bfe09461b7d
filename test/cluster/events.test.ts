import { expect } from 'chai'

import {
  type ClusterError,
  Conflict,
  Fenced,
  Forbidden,
  Invalid,
  NotFound,
  ServerError,
  TooManyRequests,
  Unreachable,
} from '../../src/cluster/errors.ts'
import { EventRecorder } from '../../src/cluster/events.ts'
import type { EventNote } from '../../src/cluster/ports.ts'
import type { CallOptions, Transport } from '../../src/cluster/transport.ts'
import type { Log } from '../../src/runtime/log.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** Of an Event, or of a patch of one. */
interface Body {
  readonly metadata?: { readonly name: string }
  readonly eventTime?: string
  readonly reportingInstance?: string
  readonly note?: string
  readonly series?: { readonly count: number; readonly lastObservedTime: string }
}

interface Write {
  readonly method: string
  readonly path: string
  readonly body: Body
  readonly options: CallOptions
  /** On the monotonic clock, from the start of the test. */
  readonly at: number
}

const path = '/apis/events.k8s.io/v1/namespaces/payments/events'
const burst = 100
const line = { method: 'POST', path }
const never = new Promise<never>(() => {})

function noteOf(note: string, changed: Partial<EventNote> = {}): EventNote {
  const metadata = { namespace: 'payments', name: 'g', uid: 'u-1', resourceVersion: '7' }
  const regarding = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', metadata }
  return { regarding, type: 'Normal', reason: 'Issued', action: 'Issue', note, ...changed }
}

const another = (uid: string): Partial<EventNote> => {
  const { regarding } = noteOf('')
  return { regarding: { ...regarding, metadata: { ...regarding.metadata, uid } } }
}

/** A recorder on a hand-driven clock; `answer` is what the API server does to each write, by its number from 1. */
class Setting implements Pick<Transport, 'call'> {
  readonly clock = new FakeClock()
  readonly writes: Write[] = []
  readonly warnings: string[] = []
  readonly recorder: EventRecorder
  answer: (write: Write, n: number) => unknown = () => ({})
  dropped = 0
  atOnce = 0
  mostAtOnce = 0
  readonly #start = this.clock.monotonic()
  #seed = 0

  constructor() {
    const warn = (message: string, { error }: { readonly error?: Error } = {}): void =>
      void this.warnings.push(`${message}: ${error?.message}`)
    const log: Log = { error: warn, warn, info: () => {}, debug: () => {} }
    this.recorder = new EventRecorder({
      transport: this,
      clock: this.clock,
      log,
      random: () => (this.#seed = (this.#seed + 0.1234567) % 1),
      instance: 'pod-1',
      observer: { eventDropped: () => (this.dropped += 1) },
    })
  }

  async call(method: string, at: string, body: object = {}, options: CallOptions = {}): Promise<unknown> {
    const write = { method, path: at, body, options, at: this.clock.monotonic() - this.#start }
    this.writes.push(write)
    this.atOnce += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce)
    try {
      const answer = await this.answer(write, this.writes.length)
      if (answer instanceof Error) throw answer
      return answer
    } finally {
      this.atOnce -= 1
    }
  }

  record(note: string, changed: Partial<EventNote> = {}): void {
    this.recorder.record(noteOf(note, changed))
  }

  /** Each write so far: its method, the note or series that it carries, and when it was made. */
  get story(): readonly string[] {
    return this.writes.map(({ method, body, at }) => {
      const count = body.series === undefined ? '' : ` x${body.series.count}`
      return `${method}${body.note === undefined ? '' : ` ${body.note}`}${count} at ${at / 1_000}s`
    })
  }

  get notes(): readonly (string | undefined)[] {
    return this.writes.map(({ body }) => body.note)
  }
}

describe('the recorder of events', () => {
  let setting: Setting
  beforeEach(() => {
    setting = new Setting()
  })

  async function drained(grace?: number): Promise<void> {
    const drain = setting.recorder.drain(grace)
    await setting.clock.advance(60_000)
    await drain
  }

  it('creates an Event in the namespace of what it regards', async () => {
    setting.record('until noon')
    await setting.clock.advance(0)
    const [write, ...others] = setting.writes
    expect(others).to.deep.equal([])
    expect(write).to.include({ method: 'POST', path })
    expect(write!.body).to.include({ note: 'until noon', reportingInstance: 'pod-1' })
    expect(write!.body.metadata!.name).to.match(/^g\.[0-9a-f]{16}$/)
    expect(write!.options).to.include({ contentType: 'application/json' })
    expect(setting.dropped).to.equal(0)
  })

  it('gives each Event a name of its own, in the order in which they came', async () => {
    for (let n = 0; n < 50; n++) setting.record(`note ${n}`)
    await setting.clock.advance(0)
    const names = setting.writes.map(({ body }) => body.metadata!.name)
    expect([...new Set(names)].sort()).to.deep.equal(names)
    expect(names).to.have.length(50)
  })

  describe('counts a repeat in the Event that is there', () => {
    it('with one patch for all that came within 10 s', async () => {
      setting.record('a')
      for (let second = 1; second <= 9; second++) {
        await setting.clock.advance(1_000)
        setting.record('a')
      }
      await setting.clock.advance(60_000)
      expect(setting.story).to.deep.equal(['POST a at 0s', 'PATCH x10 at 10s'])
      const [created, patch] = setting.writes
      expect(patch!.path).to.equal(`${path}/${created!.body.metadata!.name}`)
      expect(patch!.options).to.include({ contentType: 'application/merge-patch+json' })
      expect(patch!.body.series!.lastObservedTime).to.equal('2026-01-01T00:00:09.000000Z')
    })

    it('at once, when the last write is 10 s ago', async () => {
      setting.record('a')
      await setting.clock.advance(30_000)
      setting.record('a')
      await setting.clock.advance(60_000)
      expect(setting.story).to.deep.equal(['POST a at 0s', 'PATCH x2 at 30s'])
    })

    it('with at most one patch in 10 s, however many there are, and none is forgotten', async () => {
      for (let n = 0; n < 600; n++) {
        setting.record('a')
        await setting.clock.advance(100)
      }
      await setting.clock.advance(60_000)
      const patches = setting.writes.slice(1)
      expect(patches).to.have.length(6)
      for (const [index, { at }] of patches.entries()) expect(at).to.equal((index + 1) * 10_000)
      expect(patches.at(-1)!.body.series!.count).to.equal(600)
    })

    it('before it is written for the first time: the Event begins as a series', async () => {
      setting.record('a')
      setting.record('a')
      await setting.clock.advance(60_000)
      expect(setting.story).to.deep.equal(['POST a x2 at 0s'])
    })

    it('while it is being written for the first time: by a patch after it', async () => {
      const { promise, resolve } = Promise.withResolvers<object>()
      setting.answer = (_, n) => (n === 1 ? promise : {})
      setting.record('a')
      await setting.clock.advance(3_000)
      setting.record('a')
      await setting.clock.advance(1_000)
      resolve({})
      await setting.clock.advance(60_000)
      expect(setting.story).to.deep.equal(['POST a at 0s', 'PATCH x2 at 10s'])
    })

    it('while its first write waits for another try: in that', async () => {
      setting.answer = (_, n) => (n === 1 ? new Unreachable(line, 'no answer') : {})
      setting.record('a')
      await setting.clock.advance(10)
      setting.record('a')
      await setting.clock.advance(60_000)
      const [, again, ...others] = setting.writes
      expect(again!.body.series!.count).to.equal(2)
      expect(others).to.deep.equal([])
    })

    it('with one timer for any number of them, and none while it waits for its turn', async () => {
      setting.record('a')
      setting.record('a')
      expect(setting.clock.pending).to.equal(0)
      await setting.clock.advance(0)
      for (let n = 0; n < 5; n++) setting.record('a')
      expect(setting.clock.pending).to.equal(1)
    })

    it('up to 6 minutes after the last, measured by no clock that can be set', async () => {
      setting.record('a')
      await setting.clock.advance(0)
      setting.clock.jump(86_400_000)
      await setting.clock.advance(360_000)
      setting.record('a')
      await setting.clock.advance(360_000)
      setting.record('a')
      await setting.clock.advance(360_001)
      setting.record('a')
      await setting.clock.advance(0)
      const [created, ...others] = setting.writes
      expect(setting.story).to.deep.equal([
        'POST a at 0s',
        'PATCH x2 at 360s',
        'PATCH x3 at 720s',
        'POST a at 1080.001s',
      ])
      expect(others.at(-1)!.body.metadata!.name).not.to.equal(created!.body.metadata!.name)
    })

    it('and makes an Event anew that is gone, with all that was counted', async () => {
      setting.answer = ({ method }) => (method === 'PATCH' ? new NotFound(line, 'gone', 'object') : {})
      setting.record('a')
      await setting.clock.advance(20_000)
      setting.record('a')
      await setting.clock.advance(60_000)
      expect(setting.story).to.deep.equal(['POST a at 0s', 'PATCH x2 at 20s', 'POST a x2 at 20s'])
      expect(setting.writes[2]!.body.eventTime).to.equal('2026-01-01T00:00:00.000000Z')
      expect(setting.dropped).to.equal(0)
    })
  })

  describe('takes for an event of its own', () => {
    const differences: Readonly<Record<string, Partial<EventNote>>> = {
      'what regards another object': another('u-2'),
      'another type': { type: 'Warning' },
      'another reason': { reason: 'Denied' },
      'another action': { action: 'Remove' },
      'another note': { note: 'b' },
    }
    for (const [sentence, changed] of Object.entries(differences))
      it(sentence, async () => {
        setting.record('a')
        setting.record('a', changed)
        await setting.clock.advance(60_000)
        expect(setting.writes.map(({ method }) => method)).to.deep.equal(['POST', 'POST'])
      })

    it('but not the same thing of a newer version of the object', async () => {
      const { regarding } = noteOf('')
      setting.record('a')
      setting.record('a', { regarding: { ...regarding, metadata: { ...regarding.metadata, resourceVersion: '8' } } })
      await setting.clock.advance(60_000)
      expect(setting.story).to.deep.equal(['POST a x2 at 0s'])
    })
  })

  describe('never stands in the way', () => {
    it('of a caller while the API server never answers', async () => {
      setting.answer = () => never
      for (let n = 0; n < 1_000; n++) setting.record(`note ${n}`)
      await setting.clock.advance(0)
      expect(setting.writes).to.have.length(1)
    })

    const broken: Readonly<Record<string, () => void>> = {
      'an event that is none': () => setting.recorder.record(null as unknown as EventNote),
      'an event without an object': () => setting.recorder.record({ note: 'a' } as EventNote),
      'a clock that fails': () => {
        setting.clock.now = () => {
          throw new Error('no time')
        }
        setting.record('a')
      },
    }
    for (const [sentence, cause] of Object.entries(broken))
      it(`by an exception: ${sentence}`, async () => {
        expect(cause).not.to.throw()
        await setting.clock.advance(60_000)
        expect({ writes: setting.writes.length, dropped: setting.dropped }).to.deep.equal({ writes: 0, dropped: 1 })
      })
  })

  describe('loses, and counts', () => {
    it('what is more than 256 events that wait', async () => {
      const { promise, resolve } = Promise.withResolvers<object>()
      setting.answer = (_, n) => (n === 1 ? promise : {})
      setting.record('first')
      await setting.clock.advance(0)
      for (let n = 0; n < 300; n++) setting.record(`note ${n}`)
      expect(setting.dropped).to.equal(44)
      resolve({})
      await setting.clock.advance(60_000)
      expect(setting.notes).to.deep.equal(['first', ...Array.from({ length: 256 }, (_, n) => `note ${n}`)])
      expect(setting.dropped).to.equal(44)
    })

    const refusals: Readonly<Record<string, ClusterError>> = {
      'is forbidden': new Forbidden(line, 'events is forbidden'),
      'is taken for malformed': new Invalid(line, 'malformed', []),
      'has no namespace any more': new NotFound(line, 'no such namespace', 'object'),
      'may not be sent': new Fenced(line),
    }
    for (const [sentence, error] of Object.entries(refusals))
      it(`what ${sentence}, after one try`, async () => {
        setting.answer = () => error
        setting.record('a')
        await setting.clock.advance(60_000)
        expect(setting.story).to.deep.equal(['POST a at 0s'])
        expect(setting.dropped).to.equal(1)
      })

    const failures: Readonly<Record<string, ClusterError>> = {
      'is not answered': new Unreachable(line, 'no answer'),
      'meets with too many requests': new TooManyRequests(line, 'slow down', 1_000),
      'meets with a 500': new ServerError(line, 'internal', 500),
      'meets with a 503': new ServerError(line, 'unavailable', 503),
    }
    for (const [sentence, error] of Object.entries(failures)) {
      it(`what ${sentence} twice`, async () => {
        setting.answer = () => error
        setting.record('a')
        await setting.clock.advance(60_000)
        expect(setting.notes).to.deep.equal(['a', 'a'])
        expect(setting.dropped).to.equal(1)
      })

      it(`nothing that ${sentence} once`, async () => {
        setting.answer = (_, n) => (n === 1 ? error : {})
        setting.record('a')
        setting.record('b')
        await setting.clock.advance(60_000)
        expect(setting.notes).to.deep.equal(['a', 'a', 'b'])
        expect(setting.dropped).to.equal(0)
        expect(setting.writes[1]!.body.metadata).to.deep.equal(setting.writes[0]!.body.metadata)
        expect(setting.writes[1]!.at).to.be.at.least(500)
      })
    }

    it('nothing whose answer was lost after it took effect', async () => {
      setting.answer = (_, n) =>
        n === 1 ? new Unreachable(line, 'no answer') : n === 2 ? new Conflict(line, 'exists', 'AlreadyExists') : {}
      setting.record('a')
      await setting.clock.advance(20_000)
      setting.record('a')
      await setting.clock.advance(60_000)
      expect(setting.writes.map(({ method }) => method)).to.deep.equal(['POST', 'POST', 'PATCH'])
      expect(setting.dropped).to.equal(0)
    })

    it('no second try before the time that the API server asks for', async () => {
      setting.answer = (_, n) => (n === 1 ? new TooManyRequests(line, 'slow down', 20_000) : {})
      setting.record('a')
      await setting.clock.advance(60_000)
      expect(setting.writes).to.have.length(2)
      expect(setting.writes[1]!.at).to.be.within(20_500, 21_500)
    })

    it('what the API server wants to hear of after a long time only', async () => {
      setting.answer = () => new TooManyRequests(line, 'slow down', 3_600_000)
      setting.record('a')
      await setting.clock.advance(7_200_000)
      expect(setting.story).to.deep.equal(['POST a at 0s'])
      expect(setting.dropped).to.equal(1)
    })

    it('an Event that could not be created, but tells of it when the same is seen again', async () => {
      setting.answer = (_, n) => (n === 1 ? new Forbidden(line, 'forbidden') : {})
      setting.record('a')
      await setting.clock.advance(1_000)
      setting.record('a')
      await setting.clock.advance(60_000)
      expect(setting.story).to.deep.equal(['POST a at 0s', 'POST a x2 at 10s'])
      expect(setting.dropped).to.equal(1)
    })

    it('the repeats that a failed patch carried, but counts them in the next one', async () => {
      setting.answer = (_, n) => (n === 2 ? new Forbidden(line, 'forbidden') : {})
      setting.record('a')
      for (let n = 0; n < 2; n++) {
        await setting.clock.advance(20_000)
        setting.record('a')
      }
      await setting.clock.advance(0)
      expect(setting.story).to.deep.equal(['POST a at 0s', 'PATCH x2 at 20s', 'PATCH x3 at 40s'])
    })

    it('and says so once for any number in a row', async () => {
      setting.answer = (_, n) => (n === 4 ? {} : new Forbidden(line, 'forbidden'))
      for (let n = 1; n <= 6; n++) setting.record(`note ${n}`)
      await setting.clock.advance(0)
      expect(setting.dropped).to.equal(5)
      expect(setting.warnings).to.deep.equal([
        `events are lost: forbidden (POST ${path})`,
        `events are lost: forbidden (POST ${path})`,
      ])
    })
  })

  describe('keeps within its bounds', () => {
    it('one write at a time', async () => {
      setting.answer = () => new Promise((resolve) => setting.clock.after(50, () => resolve({})))
      for (let n = 0; n < 20; n++) setting.record(`note ${n}`)
      await setting.clock.advance(60_000)
      expect({ writes: setting.writes.length, mostAtOnce: setting.mostAtOnce }).to.deep.equal({
        writes: 20,
        mostAtOnce: 1,
      })
    })

    it('a hundred writes at once and then ten a second', async () => {
      for (let n = 0; n < 200; n++) setting.record(`note ${n}`)
      await setting.clock.advance(0)
      expect(setting.writes).to.have.length(burst)
      await setting.clock.advance(1_000)
      expect(setting.writes).to.have.length(burst + 10)
      await setting.clock.advance(60_000)
      expect(setting.writes).to.have.length(200)
    })

    it('ten requests a second also when each is tried twice', async () => {
      setting.answer = () => new ServerError(line, 'internal', 500)
      for (let n = 0; n < 256; n++) setting.record(`note ${n}`)
      await setting.clock.advance(600_000)
      expect(setting.writes).to.have.length(512)
      for (const { at } of setting.writes) {
        const within = setting.writes.filter((other) => other.at >= at && other.at < at + 1_000)
        expect(within.length).to.be.at.most(burst + 10)
      }
    })

    it('a thousand events that a repeat may be added to: the one that was seen longest ago is forgotten', async () => {
      const see = async (n: number): Promise<void> => {
        setting.record(`note ${n}`)
        await setting.clock.advance(100)
      }
      for (let n = 0; n < 1_000; n++) await see(n)
      await setting.clock.advance(20_000)
      const before = setting.writes.length
      await see(0) // now number 1 is the oldest
      await see(1_000)
      await setting.clock.advance(20_000)
      await see(0)
      await see(1)
      await see(2)
      await setting.clock.advance(20_000)
      // by the return of number 1, number 2 had become the oldest
      expect(setting.writes.slice(before).map(({ method, body }) => `${method} ${body.note ?? ''}`)).to.deep.equal([
        'PATCH ',
        'POST note 1000',
        'PATCH ',
        'POST note 1',
        'POST note 2',
      ])
    })

    it('and no timer for what is forgotten: the repeats that waited for theirs are lost when there is no room', async () => {
      setting.record('a')
      await setting.clock.advance(0)
      setting.record('a')
      expect(setting.clock.pending).to.equal(1)
      for (let n = 0; n < 1_000; n++) setting.record(`note ${n}`)
      expect(setting.clock.pending).to.equal(0)
      expect(setting.dropped).to.equal(1_000 - 256 + 1)
      await setting.clock.advance(60_000)
      expect(setting.writes.filter(({ method }) => method === 'PATCH')).to.deep.equal([])
    })
  })

  describe('that is drained', () => {
    it('writes what waits, without waiting for its turn', async () => {
      for (let n = 0; n < 200; n++) setting.record(`note ${n}`)
      await setting.clock.advance(0)
      const drain = setting.recorder.drain()
      await drain
      expect(setting.writes).to.have.length(200)
      expect(setting.dropped).to.equal(0)
    })

    it('writes the repeats that wait for their time', async () => {
      setting.record('a')
      await setting.clock.advance(1_000)
      setting.record('a')
      await setting.recorder.drain()
      expect(setting.story).to.deep.equal(['POST a at 0s', 'PATCH x2 at 1s'])
      expect(setting.clock.pending).to.equal(0)
    })

    it('writes nothing afterwards, and counts what comes as lost', async () => {
      setting.record('a')
      await setting.recorder.drain()
      const { length } = setting.writes
      setting.record('a')
      setting.record('b')
      await setting.clock.advance(600_000)
      expect(setting.writes).to.have.length(length)
      expect(setting.dropped).to.equal(2)
      expect(setting.clock.pending).to.equal(0)
    })

    it('does not try again what fails', async () => {
      setting.answer = () => new Unreachable(line, 'refused')
      for (const note of ['a', 'b', 'c']) setting.record(note)
      await setting.recorder.drain()
      expect(setting.notes).to.deep.equal(['a', 'b', 'c'])
      expect(setting.dropped).to.equal(3)
    })

    it('does not wait for the retry of what failed before', async () => {
      setting.answer = () => new Unreachable(line, 'refused')
      setting.record('a')
      await setting.clock.advance(10)
      await setting.recorder.drain()
      expect(setting.notes).to.deep.equal(['a'])
      expect(setting.dropped).to.equal(1)
    })

    it('ends after its grace whether or not the API server answers: the call is broken off, the rest is lost', async () => {
      setting.answer = ({ options }) =>
        new Promise((_, reject) => {
          options.signal!.addEventListener('abort', () => reject(new Unreachable(line, 'aborted')))
        })
      for (const note of ['a', 'b', 'c']) setting.record(note)
      await setting.clock.advance(0)
      await drained(2_000)
      expect(setting.notes).to.deep.equal(['a'])
      expect(setting.dropped).to.equal(3)
      expect(setting.clock.pending).to.equal(0)
    })

    it('ends after its grace though the call that is under way never ends', async () => {
      setting.answer = () => never
      setting.record('a')
      await setting.clock.advance(0)
      await drained()
      expect(setting.writes).to.have.length(1)
    })

    it('again does nothing more', async () => {
      setting.record('a')
      await setting.recorder.drain()
      await setting.recorder.drain()
      expect(setting.writes).to.have.length(1)
    })

    it('and never had anything to write has nothing to do', async () => {
      await setting.recorder.drain()
      expect({ writes: setting.writes.length, pending: setting.clock.pending }).to.deep.equal({ writes: 0, pending: 0 })
    })
  })
})
