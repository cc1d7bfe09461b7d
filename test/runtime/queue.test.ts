import { expect } from 'chai'
import type { Fields, Log } from '../../src/runtime/log.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { after, again, done, next, type Outcome, WorkQueue, type Worker } from '../../src/runtime/queue.ts'
import { FakeClock } from '../support/fake-clock.ts'

interface Run {
  readonly key: string
  readonly at: number
}

const day = 86_400_000
const hour = 3_600_000

const asking = (retryAfter: number): Error => Object.assign(new Error('too many requests'), { retryAfter })

/** Every pause is the longest of its spread. */
const random = (): number => 1 - Number.EPSILON

describe('the work queue', () => {
  const start = Date.UTC(2026, 0, 1)
  let clock: FakeClock
  let runs: Run[]

  beforeEach(() => {
    clock = new FakeClock(start)
    runs = []
  })

  /** A worker that notes when it ran, in ms from the start. */
  function noting(
    outcome: (key: string) => Outcome | Promise<Outcome> = () => done,
  ): (key: string) => Promise<Outcome> {
    return async (key) => {
      runs.push({ key, at: clock.now() - start })
      return outcome(key)
    }
  }

  function started(worker: (key: string) => Promise<Outcome>, concurrency = 1, log: Log = silentLog): WorkQueue {
    const queue = new WorkQueue({ name: 'test', worker, concurrency, clock, log, random })
    queue.start()
    return queue
  }

  /** One failure, then success. */
  function failingOnce(error: Error, longestBackoff = 60_000): WorkQueue {
    const worker: Worker = async (key) => {
      runs.push({ key, at: clock.now() - start })
      if (runs.length === 1) throw error
      return done
    }
    const queue = new WorkQueue({
      name: 'test',
      worker,
      longestBackoff,
      clock,
      log: silentLog,
      random: () => 0,
    })
    queue.start()
    queue.add('a')
    return queue
  }

  it('works on a key once however often it was added while it waited', async () => {
    const queue = new WorkQueue({ name: 'test', worker: noting(), clock, log: silentLog, random })
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
    queue.start()
    await clock.advance(0)
    expect(runs.map(({ key }) => key)).to.deep.equal(['a', 'b'])
  })

  it('runs a key again, but not at the same time, when it is added while it runs', async () => {
    const gate = Promise.withResolvers<void>()
    let running = 0
    const queue = started(async (key) => {
      running += 1
      expect(running, 'workers on the key').to.equal(1)
      runs.push({ key, at: 0 })
      if (runs.length === 1) await gate.promise
      running -= 1
      return done
    }, 4)
    queue.add('a')
    queue.add('a')
    queue.add('a')
    await clock.advance(0)
    expect(runs).to.have.length(1)
    gate.resolve()
    await clock.advance(0)
    expect(runs).to.have.length(2)
  })

  it('works on as many keys at a time as it may', async () => {
    const gate = Promise.withResolvers<Outcome>()
    const queue = started(
      noting(() => gate.promise),
      2,
    )
    for (const key of ['a', 'b', 'c']) queue.add(key)
    await clock.advance(0)
    expect(runs.map(({ key }) => key)).to.deep.equal(['a', 'b'])
    gate.resolve(done)
    await clock.advance(0)
    expect(runs.map(({ key }) => key)).to.deep.equal(['a', 'b', 'c'])
  })

  const times: readonly {
    readonly when: string
    readonly asked: readonly number[]
    readonly ran: readonly number[]
  }[] = [
    { when: 'in the future', asked: [250], ran: [250] },
    { when: 'now', asked: [0], ran: [0] },
    { when: 'in the past', asked: [-5], ran: [0] },
    { when: 'twice, the later one first: the earliest counts', asked: [500, 200], ran: [200] },
    { when: 'twice, the later one last: the earliest counts', asked: [200, 500], ran: [200] },
    { when: 'farther away than a timer of Node reaches', asked: [60 * day], ran: [60 * day] },
  ]
  for (const { when, asked, ran } of times) {
    it(`starts a key at the instant it was asked for: ${when}`, async () => {
      const queue = started(noting())
      for (const at of asked) queue.addAt('a', start + at)
      await clock.advance(61 * day)
      expect(runs.map(({ at }) => at)).to.deep.equal(ran)
    }).timeout(20_000)
  }

  it('does not start a key one millisecond early', async () => {
    const queue = started(noting())
    queue.addAt('a', start + 100)
    await clock.advance(99)
    expect(runs).to.be.empty
    await clock.advance(1)
    expect(runs).to.deep.equal([{ key: 'a', at: 100 }])
  })

  it('looks again when the worker says so', async () => {
    const queue = started(noting(() => (runs.length < 3 ? again(clock.now() + 1_000) : done)))
    queue.add('a')
    await clock.advance(10_000)
    expect(runs.map(({ at }) => at)).to.deep.equal([0, 1_000, 2_000])
  })

  describe('starts a key after the delay that was asked for', () => {
    const ways: readonly (readonly [sentence: string, ask: (queue: WorkQueue) => void, ran: readonly number[]])[] = [
      ['once', (queue) => queue.addAfter('a', 1_000), [1_000]],
      ['of none', (queue) => queue.addAfter('a', 0), [0]],
      [
        'twice, the later one first: the earliest counts',
        (queue) => {
          queue.addAfter('a', 5_000)
          queue.addAfter('a', 1_000)
        },
        [1_000],
      ],
      [
        'twice, the later one last: the earliest counts',
        (queue) => {
          queue.addAfter('a', 1_000)
          queue.addAfter('a', 5_000)
        },
        [1_000],
      ],
      [
        'beside an instant: each counts',
        (queue) => {
          queue.addAt('a', clock.now() + 2_000)
          queue.addAfter('a', 1_000)
        },
        [1_000, 2_000],
      ],
    ]
    for (const [sentence, ask, ran] of ways)
      it(sentence, async () => {
        const queue = started(noting())
        ask(queue)
        await clock.advance(10_000)
        expect(runs.map(({ at }) => at)).to.deep.equal(ran)
      })

    for (const [sentence, jump] of [
      ['back', -hour],
      ['forward', hour],
    ] as const) {
      it(`by an addition, neither earlier nor later because the wall clock was set ${sentence} meanwhile`, async () => {
        const queue = started(noting())
        queue.addAfter('a', 70_000)
        clock.jump(jump)
        await clock.advance(69_999)
        expect(runs).to.be.empty
        await clock.advance(1)
        expect(runs).to.deep.equal([{ key: 'a', at: 70_000 + jump }])
      })

      it(`by its worker, neither earlier nor later because the wall clock was set ${sentence} meanwhile`, async () => {
        const queue = started(noting(() => (runs.length < 2 ? after(70_000) : done)))
        queue.add('a')
        await clock.advance(0)
        clock.jump(jump)
        await clock.advance(69_999)
        expect(runs).to.have.length(1)
        await clock.advance(1)
        expect(runs).to.have.length(2)
      })
    }
  })

  it('lets a key that is due go before keys that were merely added', async () => {
    const queue = new WorkQueue({ name: 'test', worker: noting(), clock, log: silentLog, random })
    for (const key of ['a', 'b', 'c']) queue.add(key)
    queue.addAt('due', start)
    queue.start()
    await clock.advance(0)
    expect(runs.map(({ key }) => key)).to.deep.equal(['due', 'a', 'b', 'c'])
  })

  it('leaves workers for what is due, however much was added', async () => {
    const held = Promise.withResolvers<Outcome>()
    const worker: Worker = (key) => {
      runs.push({ key, at: clock.now() - start })
      return key === 'last' ? Promise.resolve(done) : held.promise
    }
    const queue = new WorkQueue({ name: 'test', worker, concurrency: 3, reserved: 2, clock, log: silentLog, random })
    for (const key of ['a', 'b', 'c']) queue.add(key)
    queue.start()
    queue.addAt('due', start)
    queue.addAfter('soon', 5)
    await clock.advance(5)
    expect(runs.map(({ key }) => key)).to.deep.equal(['a', 'due', 'soon'])
    queue.add('last')
    held.resolve(done)
    await clock.advance(0)
    expect(runs.map(({ key }) => key)).to.deep.equal(['a', 'due', 'soon', 'b', 'c', 'last'])
  })

  it('goes on with a key in its turn, behind whatever becomes due meanwhile', async () => {
    const outcomes = new Map([['first', next]])
    const queue = started(
      noting((key) => {
        if (key === 'first' && outcomes.has(key)) queue.addAt('second', clock.now())
        const outcome = outcomes.get(key) ?? done
        outcomes.delete(key)
        return outcome
      }),
    )
    queue.addAt('first', clock.now())
    await clock.advance(0)
    expect(runs.map(({ key }) => key)).to.deep.equal(['first', 'second', 'first'])
  })

  it('keeps the place of a key that became due while it ran, when it is added as well', async () => {
    const queue = started(
      noting((key) => {
        if (key !== 'first' || runs.length > 1) return done
        queue.add('second')
        queue.addAt('first', clock.now())
        queue.add('first')
        return done
      }),
    )
    queue.add('first')
    await clock.advance(0)
    expect(runs.map(({ key }) => key)).to.deep.equal(['first', 'first', 'second'])
  })

  it('backs off from 5 ms to a minute, for ever, and begins anew after a success', async () => {
    const failing = new Set(['a'])
    const queue = started(async (key) => {
      runs.push({ key, at: clock.now() - start })
      if (failing.has(key)) throw new Error('no')
      return done
    })
    queue.add('a')
    await clock.advance(400_000)
    const gaps = runs.map(({ at }, index) => at - (runs[index - 1]?.at ?? 0)).slice(1)
    expect(gaps.slice(0, 4)).to.deep.equal([5, 10, 20, 40])
    expect(gaps.slice(-3)).to.deep.equal([60_000, 60_000, 60_000])
    failing.clear()
    await clock.advance(60_000)
    failing.add('a')
    runs.length = 0
    const before = clock.now() - start
    queue.add('a')
    await clock.advance(10)
    expect(runs.map(({ at }) => at - before)).to.deep.equal([0, 5])
  })

  it('tries again at least as often as it is told to', async () => {
    const worker: Worker = async (key) => {
      runs.push({ key, at: clock.now() - start })
      throw new Error('no')
    }
    const queue = new WorkQueue({ name: 'test', worker, longestBackoff: 50, clock, log: silentLog, random })
    queue.add('a')
    queue.start()
    await clock.advance(200)
    expect(runs.map(({ at }) => at)).to.deep.equal([0, 5, 15, 35, 75, 125, 175])
  })

  it('does not try again together what failed together', async () => {
    let draws = 0
    const spread = (): number => (draws++ % 100) / 100
    const worker: Worker = async (key) => {
      runs.push({ key, at: clock.now() - start })
      throw new Error('no')
    }
    const queue = new WorkQueue({ name: 'test', worker, longestBackoff: 5_000, clock, log: silentLog, random: spread })
    for (let n = 0; n < 300; n++) queue.add(`k${n}`)
    queue.start()
    await clock.advance(60_000)
    const moments = new Map<number, number>()
    const late = runs.filter(({ at }) => at >= 50_000)
    for (const { at } of late) moments.set(Math.floor(at / 10), (moments.get(Math.floor(at / 10)) ?? 0) + 1)
    expect(late.length, 'tries in 10 s').to.be.within(600, 1_200)
    expect(Math.max(...moments.values()), 'tries within 10 ms').to.be.below(30)
  })

  describe('leaves a key alone for as long as the failure asks', () => {
    it('and not a millisecond less', async () => {
      failingOnce(asking(5_000))
      await clock.advance(120_000)
      expect(runs.map(({ at }) => at)).to.deep.equal([0, 5_000])
    })

    it('but no longer than the longest back-off', async () => {
      failingOnce(asking(100_000_000), 5_000)
      await clock.advance(120_000)
      expect(runs.map(({ at }) => at)).to.deep.equal([0, 5_000])
    })

    it('but starts it for whatever else is asked for meanwhile', async () => {
      const queue = failingOnce(asking(5_000))
      queue.addAt('a', start + 1_000)
      queue.addAfter('a', 2_000)
      await clock.advance(3_000)
      queue.add('a')
      await clock.advance(3_000)
      expect(runs.map(({ at }) => at)).to.deep.equal([0, 1_000, 2_000, 3_000, 5_000])
    })
  })

  it('does not let a back-off stand in front of an instant that was asked for', async () => {
    const queue = started(async (key) => {
      runs.push({ key, at: clock.now() - start })
      throw new Error('no')
    })
    queue.add('a')
    await clock.advance(45_000)
    const due = clock.now() - start + 7
    runs.length = 0
    queue.addAt('a', start + due)
    await clock.advance(10)
    expect(runs.map(({ at }) => at)).to.deep.equal([due])
  })

  it('keeps the instant that a worker asked for through failures that come before it', async () => {
    const expiry = 100_000
    const queue = started(async (key) => {
      runs.push({ key, at: clock.now() - start })
      if (runs.length > 1) throw new Error('no')
      return again(start + expiry)
    })
    queue.add('a')
    queue.add('a') // fails from here on: by the expiry, the back-off is longer than half a minute
    await clock.advance(expiry)
    expect(runs.at(-1)?.at).to.equal(expiry)
    expect(runs.length, 'runs before and at the expiry').to.be.above(10)
  })

  it('keeps the delay that a worker asked for through failures that come before it', async () => {
    const queue = started(async (key) => {
      runs.push({ key, at: clock.now() - start })
      if (runs.length > 1) throw new Error('no')
      return after(100_000)
    })
    queue.add('a')
    await clock.advance(0)
    queue.addAfter('a', 30_000)
    await clock.advance(100_000)
    expect(runs.at(-1)?.at).to.equal(100_000)
    expect(runs.at(-2)?.at, 'the retry before').to.be.below(80_000)
  })

  it('keeps it too when an earlier instant was put in its place and the run at that one fails', async () => {
    const queue = started(async (key) => {
      runs.push({ key, at: clock.now() - start })
      if (runs.length > 1) throw new Error('no')
      return again(start + 100_000)
    })
    queue.add('a')
    await clock.advance(0)
    queue.addAt('a', start + 30_000)
    await clock.advance(100_000)
    expect(runs.at(-1)?.at).to.equal(100_000)
    expect(runs.at(-2)?.at, 'the retry before').to.be.below(80_000)
  })

  it('logs a failure once, with the key and without a stack', async () => {
    const lines: [string, Fields | undefined][] = []
    const log = { ...silentLog, error: (message: string, fields?: Fields) => void lines.push([message, fields]) }
    const error = new Error('the role is gone')
    const queue = started(() => Promise.reject(error), 1, log)
    queue.add('payments/g1')
    await clock.advance(1)
    expect(lines).to.deep.equal([
      ['reconcile failed', { queue: 'test', key: 'payments/g1', failures: 1, retryInMs: 5, error }],
    ])
  })

  it('counts a worker that throws before it returns a promise as failed', async () => {
    const queue = started((key) => {
      runs.push({ key, at: clock.now() - start })
      throw new Error('at once')
    })
    queue.add('a')
    await clock.advance(5)
    expect(runs.map(({ at }) => at)).to.deep.equal([0, 5])
  })

  it('notices within ten seconds that the wall clock was set forward past the instant', async () => {
    const queue = started(noting())
    queue.addAt('a', start + 3_600_000)
    await clock.advance(1_000)
    clock.jump(3_600_000)
    await clock.advance(10_000)
    expect(runs).to.have.length(1)
  })

  it('does not start a key early when the wall clock was set back', async () => {
    const queue = started(noting())
    queue.addAt('a', start + 5_000)
    await clock.advance(1_000)
    clock.jump(-60_000)
    await clock.advance(63_999)
    expect(runs).to.be.empty
    await clock.advance(1)
    expect(runs).to.deep.equal([{ key: 'a', at: 5_000 }])
  })

  it('drains: waits for what runs, starts nothing more and leaves no timer', async () => {
    const gate = Promise.withResolvers<Outcome>()
    const queue = started(noting(() => gate.promise))
    queue.add('a')
    queue.add('b')
    queue.addAt('c', start + 1_000)
    queue.addAfter('c', 2_000)
    await clock.advance(0)
    let drained = false
    const draining = queue.drain().then(() => (drained = true))
    await clock.advance(0)
    expect(drained, 'drained while a key ran').to.equal(false)
    queue.add('d')
    gate.resolve(again(start + 10))
    await draining
    await clock.advance(10_000)
    expect(runs.map(({ key }) => key)).to.deep.equal(['a'])
    expect(clock.pending).to.equal(0)
  })

  it('drains at once when nothing runs, also twice and before the start', async () => {
    const queue = new WorkQueue({ name: 'test', worker: noting(), clock, log: silentLog, random })
    queue.add('a')
    await Promise.all([queue.drain(), queue.drain()])
    queue.start()
    await clock.advance(100)
    expect(runs).to.be.empty
  })

  it('spends no time on keys that do not have their turn', async () => {
    const queue = new WorkQueue({
      name: 'test',
      worker: async () => done,
      concurrency: 8,
      clock,
      log: silentLog,
      random,
    })
    const began = performance.now()
    for (let n = 0; n < 50_000; n++) queue.addAt(`k${n}`, start + ((n * 7919) % 1_000))
    for (let n = 0; n < 50_000; n++) queue.add(`k${n}`)
    queue.start()
    await clock.advance(1_000)
    expect(performance.now() - began, 'ms').to.be.below(4_000)
  })
})
