import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Instant, Millis } from '../../src/core/time.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

const seed = 12_012
const runs = 500

const second: Millis = 1_000
const minute: Millis = 60_000
const hour: Millis = 3_600_000
/** In truth, at the beginning. */
const start: Instant = Date.UTC(2027, 0, 1)
/** The longest way of an answer there and back. */
const slowest: Millis = 2_000
/** How far off the whole seconds of a Date are, and the way of the answer. */
const precision: Millis = second + slowest

type Step =
  /** Time passes, the same for everybody. */
  | { readonly kind: 'pass'; readonly time: Millis }
  /** A clock is set so far from the truth. */
  | { readonly kind: 'wall' | 'server' | 'both'; readonly off: Millis }
  /** The API server answers. */
  | { readonly kind: 'hear'; readonly took: Millis }
  /** The process is replaced, on a machine whose monotonic clock says anything. */
  | { readonly kind: 'restart' }
  | { readonly kind: 'issue'; readonly duration: Millis }
  | { readonly kind: 'look' }

const times = fc.oneof(fc.integer({ min: 0, max: 5 * second }), fc.integer({ min: 0, max: 3 * hour }))
const offsets = fc.oneof(
  fc.constant(0),
  fc.integer({ min: -6 * hour, max: 6 * hour }),
  fc.integer({ min: -2 * second, max: 2 * second }),
)

const steps: fc.Arbitrary<Step> = fc.oneof(
  times.map((time) => ({ kind: 'pass', time }) as const),
  fc.record({ kind: fc.constantFrom('wall', 'server', 'both'), off: offsets }),
  fc.integer({ min: 0, max: slowest }).map((took) => ({ kind: 'hear', took }) as const),
  fc.constant({ kind: 'restart' } as const),
  times.map((duration) => ({ kind: 'issue', duration }) as const),
  fc.constant({ kind: 'look' } as const),
)

const hear: Step = { kind: 'hear', took: second }
const look: Step = { kind: 'look' }
const honestAgain: readonly Step[] = [{ kind: 'both', off: 0 }, hear]
const inBetween: fc.Arbitrary<Step> = steps.filter(({ kind }) => ['pass', 'issue', 'look', 'hear'].includes(kind))

const livesOf = (step: fc.Arbitrary<Step>): fc.Arbitrary<Step[]> => fc.array(step, { minLength: 15, maxLength: 40 })
const anyLife = livesOf(steps)

interface Given {
  readonly notAfter: Instant
  /** In truth: when it must have ended. */
  readonly due: Instant
  /** Which process issued it. */
  readonly process: number
}

/** A machine, an API server, processes one after another, and what they give. */
class Life {
  readonly given: Given[] = []
  true: Instant = start
  process = 0
  wallOff: Millis = 0
  serverOff: Millis = 0
  /** This process has been answered. */
  hasHeard = false
  clock!: TrustedClock
  #machine!: FakeClock

  constructor() {
    this.restart()
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'pass':
        return this.#pass(step.time)
      case 'wall':
        return this.#setWall(step.off)
      case 'server':
        this.serverOff = step.off
        return
      case 'both':
        this.serverOff = step.off
        return this.#setWall(step.off)
      case 'hear':
        return this.hear(step.took)
      case 'restart':
        return this.restart()
      case 'issue': {
        const notAfter = this.clock.earliest() + step.duration
        this.given.push({ notAfter, due: this.true + step.duration, process: this.process })
        return
      }
      case 'look':
        this.clock.now()
        return
    }
  }

  restart(): void {
    this.process += 1
    this.hasHeard = false
    this.#machine = new FakeClock(this.true + this.wallOff)
    this.clock = new TrustedClock(this.#machine)
  }

  hear(took: Millis): void {
    const sent = this.#machine.monotonic()
    this.#pass(took / 2)
    const date = Math.floor((this.true + this.serverOff) / second) * second
    this.#pass(took / 2)
    this.clock.heard({ date, sent, received: this.#machine.monotonic() })
    this.hasHeard = true
  }

  #pass(time: Millis): void {
    this.true += time
    this.#machine.block(time)
  }

  #setWall(off: Millis): void {
    this.#machine.jump(off - this.wallOff)
    this.wallOff = off
  }
}

/** Lives every life, and checks after each step; says how often there was something to check. */
function holds(lives: fc.Arbitrary<readonly Step[]>, check: (life: Life) => number): void {
  let checked = 0
  fc.assert(
    fc.property(lives, (all) => {
      const life = new Life()
      for (const step of all) {
        life.take(step)
        checked += check(life)
      }
    }),
    { seed, numRuns: runs },
  )
  expect(checked).to.be.greaterThan(runs)
}

/** What is due, longer ago than `leeway`, has ended. */
function expectEnded(life: Life, given: readonly Given[], leeway: Millis): number {
  const due = given.filter((each) => life.true >= each.due + leeway)
  for (const { notAfter } of due) expect(life.clock.now()).to.be.at.least(notAfter)
  return due.length
}

describe('the trusted clock, whatever is set to what', () => {
  it('never goes back, and never says that it is earlier than its earliest', () => {
    const said = new WeakMap<TrustedClock, Instant>()
    holds(anyLife, ({ clock }) => {
      const now = clock.now()
      expect(now).to.be.at.least(said.get(clock) ?? -Infinity)
      said.set(clock, now)
      expect(clock.earliest()).to.be.at.most(clock.now())
      return 1
    })
  })

  it('gives nothing for longer than it has said, while the process lives: all witnesses may lie', () => {
    // instants have whole milliseconds
    holds(anyLife, (life) => {
      const given = life.given.filter(({ process }) => process === life.process)
      return expectEnded(life, given, 1)
    })
  })

  it('gives nothing for longer across processes, while the wall clock is right: the API server may lie', () => {
    const lives = livesOf(steps.filter(({ kind }) => kind !== 'wall' && kind !== 'both'))
    holds(lives, (life) => expectEnded(life, life.given, 1))
  })

  it('gives nothing for longer across processes but for the precision of a Date, while the API server is right: the wall clock may lie', () => {
    const lives = livesOf(steps.filter(({ kind }) => kind !== 'server' && kind !== 'both'))
      // no process decides before it has been answered: it has to list first
      .map((all) => [hear, ...all.flatMap((step): Step[] => (step.kind === 'restart' ? [step, hear] : [step]))])
    holds(lives, (life) => (life.hasHeard ? expectEnded(life, life.given, 2 * precision) : 0))
  })

  it('gives nothing for longer across processes while one of them is right at a time, and then the other', () => {
    const turns = fc
      .array(fc.tuple(fc.constantFrom('wall', 'server'), offsets, fc.array(inBetween, { maxLength: 6 })), {
        maxLength: 8,
      })
      .map((parts) => parts.flatMap(([liar, off, between]) => [...honestAgain, { kind: liar, off }, hear, ...between]))
    holds(turns, (life) => (life.hasHeard ? expectEnded(life, life.given, 2 * precision) : 0))
  })

  it('is not behind once all that was heard was right together, however far both are set back later', () => {
    const lives = livesOf(steps.filter(({ kind }) => kind !== 'restart')).map((all) => [...honestAgain, look, ...all])
    holds(lives, (life) => {
      if (!life.hasHeard) return 0
      expect(life.clock.now()).to.be.at.least(life.true - 1)
      return 1
    })
  })
})

describe('the trusted clock, where no witness is right', () => {
  it('gives for longer by as much as both were ahead at the issue, once both are put right and the process is replaced', () => {
    const life = new Life()
    for (const step of [{ kind: 'both', off: hour }, hear, { kind: 'issue', duration: minute }] as const)
      life.take(step)
    for (const step of [{ kind: 'both', off: 0 }, { kind: 'restart' }, hear] as const) life.take(step)
    const [given] = life.given
    expect(given!.notAfter - life.clock.now()).to.be.within(hour, hour + minute)
  })
})
