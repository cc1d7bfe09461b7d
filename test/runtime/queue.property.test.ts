import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Millis } from '../../src/core/time.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { after, again, done, type Outcome, WorkQueue, type Worker } from '../../src/runtime/queue.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { QueueModel } from '../support/queue-model.ts'

const firstBackoff: Millis = 5
const longestBackoff: Millis = 160
/** The longest sleep of the queue. */
const tolerance: Millis = 10_000

type Step =
  | { readonly do: 'add'; readonly key: string }
  | { readonly do: 'addAt'; readonly key: string; readonly delay: Millis }
  | { readonly do: 'addAfter'; readonly key: string; readonly delay: Millis }
  | { readonly do: 'advance'; readonly by: Millis }
  | { readonly do: 'jump'; readonly by: Millis }

/** What one run does: how long it takes and how it ends. A failure asks for a pause, or, at 0, for none. */
interface Run {
  readonly takes: Millis
  readonly ends: 'done' | { readonly throws: Millis } | { readonly again: Millis } | { readonly after: Millis }
}

const anyKey = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const anyJump = fc.oneof(fc.integer({ min: -500, max: 500 }), fc.integer({ min: -7_200_000, max: 7_200_000 }))
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('add'), key: anyKey }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('addAt'), key: anyKey, delay: fc.integer({ min: -10, max: 300 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('addAt'), key: anyKey, delay: fc.nat(40_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('addAfter'), key: anyKey, delay: fc.integer({ min: -10, max: 300 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('addAfter'), key: anyKey, delay: fc.nat(40_000) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('advance'), by: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('advance'), by: fc.nat(30_000) }) },
)
const anyStepOrJump: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: anyStep },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('jump'), by: anyJump }) },
)
const anyRun: fc.Arbitrary<Run> = fc.record({
  takes: fc.nat(30),
  ends: fc.oneof(
    fc.constant('done' as const),
    fc.record({ throws: fc.constantFrom(0, 0, 7, 90, 100_000) }),
    fc.record({ throws: fc.constant(0) }),
    fc.record({ again: fc.integer({ min: -10, max: 400 }) }),
    fc.record({ after: fc.integer({ min: -10, max: 400 }) }),
  ),
})

function anySchedule(step: fc.Arbitrary<Step>): fc.Arbitrary<Schedule> {
  return fc.record({
    /** Before the queue starts. */
    early: fc.array(step, { maxLength: 4 }),
    steps: fc.array(step, { maxLength: 50, size: 'max' }),
    /** One after the other; all further runs are done at once, apart from those of the key that fails for ever. */
    runs: fc.array(anyRun, { maxLength: 40, size: 'max' }),
    concurrency: fc.integer({ min: 1, max: 3 }),
    spread: fc.constantFrom(0, 0.3, 1 - Number.EPSILON),
    end: fc.constantFrom('drain at once', 'drain at rest'),
  })
}

interface Schedule {
  readonly early: readonly Step[]
  readonly steps: readonly Step[]
  readonly runs: readonly Run[]
  readonly concurrency: number
  readonly spread: number
  readonly end: 'drain at once' | 'drain at rest'
}

function dayOf(early: readonly Step[], ...steps: readonly Step[]): [Schedule] {
  return [{ early, steps, runs: [], concurrency: 1, spread: 0, end: 'drain at rest' }]
}

const worstDays = [
  // an instant that is due before the start, and another one
  dayOf(
    [
      { do: 'addAt', key: 'a', delay: 1 },
      { do: 'advance', by: 1 },
      { do: 'addAt', key: 'a', delay: 1 },
    ],
    { do: 'advance', by: 1 },
  ),
  // the wall clock is set past the only instant
  dayOf(
    [],
    { do: 'addAt', key: 'a', delay: 40_000 },
    { do: 'jump', by: 3_600_000 },
    { do: 'advance', by: tolerance + 1 },
  ),
  // the wall clock is set back while a key is to be tried again
  dayOf(
    [],
    { do: 'add', key: 'e' },
    { do: 'advance', by: 1 },
    { do: 'jump', by: -3_600_000 },
    { do: 'advance', by: tolerance + longestBackoff },
  ),
  // the wall clock is set back during a delay, and forward during another
  dayOf(
    [],
    { do: 'addAfter', key: 'a', delay: 1_000 },
    { do: 'jump', by: -3_600_000 },
    { do: 'advance', by: 1_000 },
    { do: 'addAfter', key: 'a', delay: 1_000 },
    { do: 'jump', by: 3_600_000 },
    { do: 'advance', by: 1_000 },
  ),
]

/** One queue, its worker, and the model that watches both. Key `e` fails whenever it runs. */
class Scenario {
  readonly #clock = new FakeClock()
  readonly #model: QueueModel
  readonly #queue: WorkQueue
  readonly #runs: Run[]

  constructor({ runs, concurrency, spread }: Schedule) {
    const clock = this.#clock
    this.#runs = [...runs]
    this.#model = new QueueModel({ clock, concurrency, firstBackoff, longestBackoff, spread, tolerance })
    const worker: Worker = (key) => this.#work(key)
    const log = silentLog
    const random = (): number => spread
    this.#queue = new WorkQueue({ name: 'property', worker, concurrency, longestBackoff, clock, log, random })
  }

  /** Returns what was wrong. */
  async play({ early, steps, end }: Schedule): Promise<readonly string[]> {
    for (const step of early) await this.#take(step)
    this.#model.start()
    this.#queue.start()
    for (const step of steps) await this.#take(step)
    const settled = end === 'drain at rest' ? await this.#settle([...early, ...steps]) : []
    return [...this.#model.violations, ...settled, ...(await this.#drain())]
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'add':
        this.#model.add(step.key)
        return this.#queue.add(step.key)
      case 'addAt': {
        const at = this.#clock.now() + step.delay
        this.#model.addAt(step.key, at)
        return this.#queue.addAt(step.key, at)
      }
      case 'addAfter':
        this.#model.addAfter(step.key, step.delay)
        return this.#queue.addAfter(step.key, step.delay)
      case 'jump':
        this.#model.set()
        return this.#clock.jump(step.by)
      case 'advance':
        await this.#clock.advance(step.by)
        return this.#model.checkAtRest()
      default:
        return step satisfies never
    }
  }

  async #work(key: string): Promise<Outcome> {
    this.#model.take(key)
    const { takes, ends } = this.#runs.shift() ?? { takes: 0, ends: 'done' }
    await new Promise<void>((resolve) => void this.#clock.after(takes, resolve))
    if (key === 'e') return this.#fail(key, 0)
    if (ends === 'done') {
      this.#model.succeed(key, null)
      return done
    }
    if ('throws' in ends) return this.#fail(key, ends.throws)
    if ('after' in ends) {
      this.#model.succeed(key, { elapsed: this.#clock.monotonic() + ends.after })
      return after(ends.after)
    }
    const at = this.#clock.now() + ends.again
    this.#model.succeed(key, { at })
    return again(at)
  }

  #fail(key: string, retryAfter: Millis): never {
    this.#model.fail(key, retryAfter)
    throw Object.assign(new Error('a failure'), { retryAfter })
  }

  /** Everything that was asked for comes due and is noticed. */
  async #settle(steps: readonly Step[]): Promise<readonly string[]> {
    if (steps.some((step) => step.do === 'jump')) await this.#take({ do: 'jump', by: 1_000_000_000 })
    await this.#take({ do: 'advance', by: 45_000 })
    return this.#model.owed.map((key) => `${key}: never started`)
  }

  async #drain(): Promise<readonly string[]> {
    let running: number | null = null
    const busy = this.#model.running
    this.#model.drain()
    void this.#queue.drain().then(() => (running = this.#model.running))
    const timers = this.#clock.pending - busy
    this.#queue.add('a')
    this.#queue.addAt('b', this.#clock.now() + 1)
    this.#queue.addAfter('c', 1)
    await this.#clock.advance(tolerance)
    return [
      ...(running === null ? ['the drain does not end'] : []),
      ...(running === 0 ? [] : [`the drain ended while ${running} worked`]),
      ...(timers > 0 ? ['the queue keeps a timer'] : []),
      ...(this.#clock.pending > 0 ? ['a timer is left'] : []),
      ...this.#model.violations.filter((violation) => violation.endsWith('draining')),
    ]
  }
}

describe('the work queue under any schedule', () => {
  for (const [what, step] of [
    ['keeps every promise to the millisecond', anyStep],
    ['keeps every promise when the wall clock is set back and forth', anyStepOrJump],
  ] as const) {
    it(what, async () => {
      await fc.assert(
        fc.asyncProperty(anySchedule(step), async (schedule) => {
          expect((await new Scenario(schedule).play(schedule)).join('\n')).to.equal('')
        }),
        { seed: 20_261_122, numRuns: 150, examples: worstDays },
      )
    }).timeout(60_000)
  }
})
