import { expect } from 'chai'

import { ControllerStart } from '../../src/cli/controller-start.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** What the lease is like. */
interface Situation {
  /** Found by the first look. */
  readonly isReleased: boolean
  /** At once; later: somebody else leads first. */
  readonly wins: 'at once' | 'later'
}

/** A start whose parts note what is asked of them, and do it when the test says so. */
class Scene {
  readonly steps: string[] = []
  readonly stuck: string[] = []
  readonly clock = new FakeClock()
  readonly start: ControllerStart
  readonly bindings = new Part(this.steps, 'bindings')
  readonly grants = new Part(this.steps, 'grants')
  readonly won = Promise.withResolvers<void>()
  readonly removal = Promise.withResolvers<void>()
  /** What the run has come to. */
  outcome: string | null = null

  constructor({ isReleased, wins }: Situation) {
    const { steps } = this
    const elector = { look: () => this.#note('look'), isReleased, wasFree: isReleased && wins === 'at once' }
    if (wins === 'at once') this.won.resolve()
    this.start = new ControllerStart({
      lease: { elector, win: () => this.won.promise },
      caches: [this.bindings, this.grants],
      bindings: [this.bindings],
      controllers: {
        start: () => void steps.push('work'),
        takeOver: (caches) => this.#note(`list ${caches.length} anew, work`),
      },
      endOverdue: () => {
        steps.push('end what is overdue')
        return this.removal.promise
      },
      clock: this.clock,
      log: silentLog,
      onStuck: (reason) => this.stuck.push(reason),
    })
    this.start.run().then(
      () => (this.outcome = 'works'),
      (error: Error) => (this.outcome = error.message),
    )
  }

  #note(step: string): Promise<void> {
    this.steps.push(step)
    return Promise.resolve()
  }
}

class Part {
  readonly synced = Promise.withResolvers<void>()
  readonly #steps: string[]
  readonly #name: string
  #hasStarted = false

  constructor(steps: string[], name: string) {
    this.#steps = steps
    this.#name = name
    this.synced.promise.catch(() => {})
  }

  start(): void {
    if (!this.#hasStarted) this.#steps.push(`list ${this.#name}`)
    this.#hasStarted = true
  }

  whenSynced(): Promise<void> {
    return this.synced.promise
  }

  refresh(): Promise<void> {
    return Promise.resolve()
  }
}

const released = { isReleased: true, wins: 'at once' } as const
const held = { isReleased: false, wins: 'later' } as const
const raced = { isReleased: true, wins: 'later' } as const

describe('the start of a controller', () => {
  it('that finds the lease given back ends what is overdue before it knows all else, and works by its first lists', async () => {
    const { steps, bindings, grants, removal, clock, start } = new Scene(released)
    await clock.advance(0)
    expect(steps).to.deep.equal(['look', 'list bindings'])
    bindings.synced.resolve()
    await clock.advance(0)
    expect(steps.slice(2).toSorted()).to.deep.equal(['end what is overdue', 'list grants'])
    let isDrained = false
    void start.drain().then(() => (isDrained = true))
    grants.synced.resolve()
    await clock.advance(0)
    expect(steps.slice(4)).to.deep.equal(['work'])
    expect(isDrained, 'while a removal is under way').to.equal(false)
    removal.resolve()
    await clock.advance(0)
    expect(isDrained).to.equal(true)
  })

  it('that finds the lease held fills its caches, waits, and lists anew', async () => {
    const { steps, bindings, grants, won, clock } = new Scene(held)
    await clock.advance(0)
    expect(steps).to.deep.equal(['look', 'list bindings', 'list grants'])
    bindings.synced.resolve()
    grants.synced.resolve()
    await clock.advance(3_600_000)
    expect(steps).to.have.length(3)
    won.resolve()
    await clock.advance(0)
    expect(steps.slice(3)).to.deep.equal(['list 2 anew, work'])
  })

  it('that loses the race for a lease given back is as any that waits: it removes nothing by itself', async () => {
    const { steps, stuck, bindings, grants, won, clock, start } = new Scene(raced)
    bindings.synced.resolve()
    grants.synced.resolve()
    await clock.advance(3_600_000)
    expect(steps).to.deep.equal(['look', 'list bindings', 'list grants'])
    await start.drain()
    won.resolve()
    await clock.advance(60_000)
    expect(steps.slice(3)).to.deep.equal(['list 2 anew, work'])
    expect(stuck).to.deep.equal([])
  })

  for (const late of ['bindings', 'grants'] as const)
    it(`leaves the lease to another when it leads and the ${late} cannot be listed`, async () => {
      const scene = new Scene(released)
      if (late !== 'bindings') scene.bindings.synced.resolve()
      scene.removal.resolve()
      await scene.clock.advance(29_999)
      expect(scene.stuck).to.deep.equal([])
      await scene.clock.advance(1)
      expect(scene.stuck).to.deep.equal(['the caches were not filled in time'])
    })

  it('leaves it to nobody once it works', async () => {
    const { stuck, bindings, grants, removal, clock } = new Scene(released)
    for (const each of [bindings.synced, grants.synced, removal]) each.resolve()
    await clock.advance(3_600_000)
    expect(stuck).to.deep.equal([])
  })

  for (const situation of [released, held, raced])
    for (const stopped of ['bindings', 'grants'] as const)
      it(`says that the cache of ${stopped} was stopped (${JSON.stringify(situation)})`, async () => {
        const scene = new Scene(situation)
        if (stopped === 'grants') scene.bindings.synced.resolve()
        await scene.clock.advance(0)
        scene[stopped].synced.reject(new Error('stopped'))
        await scene.clock.advance(0)
        expect(scene.outcome).to.equal('stopped')
        expect(scene.steps.join()).not.to.contain('work')
      })
})
