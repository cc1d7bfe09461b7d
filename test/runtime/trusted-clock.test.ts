import { expect } from 'chai'
import type { Instant, Millis } from '../../src/core/time.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

const second: Millis = 1_000
const minute: Millis = 60_000
const hour: Millis = 3_600_000
const noon: Instant = Date.UTC(2027, 0, 1, 12)

/** A wall clock that a test sets, and an API server whose clock is as many milliseconds from it as was said last. */
class Setting {
  readonly machine = new FakeClock(noon)
  readonly clock = new TrustedClock(this.machine)
  /** What it is in truth. */
  #true: Instant = noon
  #server: Millis = 0

  get true(): Instant {
    return this.#true
  }

  /** By how much `now` is ahead of the truth. */
  get ahead(): Millis {
    return this.clock.now() - this.#true
  }

  /** By how much `earliest` is behind the truth. */
  get behind(): Millis {
    return this.#true - this.clock.earliest()
  }

  /** The machine's clock is set; what it has said before counts only if somebody looked. */
  setWall(by: Millis): this {
    this.machine.jump(by)
    return this
  }

  setServer(ahead: Millis): this {
    this.#server = ahead
    return this
  }

  pass(time: Millis): this {
    this.machine.block(time)
    this.#true += time
    return this
  }

  /** An answer that took so long; half of it the way there. */
  hear(took: Millis = 0): this {
    const sent = this.machine.monotonic()
    this.pass(took / 2)
    const date = Math.floor((this.#true + this.#server) / second) * second
    this.pass(took / 2)
    this.clock.heard({ date, sent, received: this.machine.monotonic() })
    return this
  }
}

describe('the trusted clock', () => {
  let setting: Setting
  beforeEach(() => (setting = new Setting()))

  describe('while the clocks agree', () => {
    it('says what the wall clock says, from both sides', () => {
      for (const took of [0, 5, 400, 3_000]) {
        setting.pass(345).hear(took)
        expect([setting.ahead, setting.behind], `after an answer that took ${took} ms`).to.deep.equal([0, 0])
      }
    })

    it('says what the wall clock says before anybody has answered', () => {
      expect([setting.ahead, setting.behind, setting.clock.disagreement()]).to.deep.equal([0, 0, 0])
    })

    it('waits and measures by the clock that it is put before', async () => {
      let fired = 0
      setting.clock.after(5, () => (fired += 1))
      await setting.machine.advance(5)
      expect([fired, setting.clock.monotonic()]).to.deep.equal([1, setting.machine.monotonic()])
    })
  })

  describe('when the wall clock is set back', () => {
    it('goes on, and counts new ends from the earlier time', () => {
      setting.hear().setWall(-hour).pass(minute)
      expect([setting.ahead, setting.behind]).to.deep.equal([0, hour])
      expect(setting.clock.disagreement()).to.equal(hour)
    })

    it('goes on when the API server is set back with it, as on one machine', () => {
      setting.hear().clock.now()
      setting
        .setWall(-hour)
        .setServer(-hour)
        .pass(3 * minute)
        .hear()
        .pass(3 * minute)
        .hear()
      expect([setting.ahead, setting.behind]).to.deep.equal([0, hour])
    })

    it('goes on from the last look before any answer', () => {
      setting.clock.earliest()
      setting.setWall(-hour).pass(minute)
      expect(setting.ahead).to.equal(0)
    })

    it('agrees again once the clock is put right', () => {
      setting.hear().setWall(-hour).pass(minute).hear().setWall(hour)
      expect([setting.ahead, setting.behind, setting.clock.disagreement()]).to.deep.equal([0, 0, 0])
    })
  })

  describe('when the wall clock is set forward', () => {
    it('ends at once what would have ended by it, and gives nothing for longer', () => {
      setting.hear().setWall(hour)
      expect([setting.ahead, setting.behind]).to.deep.equal([hour, -second]) // a Date is rounded down to the second
    })

    it('never goes back when that is put right, and is caught up with in twice the time', () => {
      setting.hear().setWall(hour)
      const told = setting.clock.now()
      setting.setWall(-hour)
      expect(setting.clock.now()).to.equal(told)
      expect(setting.pass(hour).ahead).to.equal(hour / 2)
      expect(setting.pass(hour).ahead).to.equal(second) // what both said together then, at most
    })

    it('does not stay there for what it said before anybody had answered', () => {
      setting.setWall(hour).clock.now()
      setting.setWall(-hour).hear()
      expect(setting.pass(2 * hour).ahead).to.equal(0)
    })

    it('follows it from a wrong start, once the API server has said the same', () => {
      setting = new Setting()
      setting.setWall(-hour)
      expect(setting.clock.now()).to.equal(setting.true - hour)
      setting.hear()
      expect([setting.ahead, setting.behind]).to.deep.equal([0, hour])
      setting.setWall(hour)
      expect([setting.ahead, setting.behind]).to.deep.equal([0, 0])
    })

    it('follows both when a machine wakes up, whose monotonic clock has slept', () => {
      setting.hear().clock.now()
      setting.setWall(8 * hour).setServer(8 * hour)
      setting.hear().pass(minute).hear().pass(minute).hear()
      expect([setting.ahead, setting.behind, setting.clock.disagreement()]).to.deep.equal([8 * hour, -8 * hour, 0])
    })
  })

  describe('when an API server lies', () => {
    it('ahead: ends by it, and counts new ends by the wall clock', () => {
      setting.setServer(hour).hear()
      expect([setting.ahead, setting.behind]).to.deep.equal([hour, 0])
    })

    it('behind: ends by the wall clock, and counts new ends by it', () => {
      setting.setServer(-hour).hear()
      expect([setting.ahead, setting.behind]).to.deep.equal([0, hour - second])
    })

    it('by turns with an honest replica: each of them counts', () => {
      for (const server of [hour, 0, -hour, 0]) setting.setServer(server).hear()
      expect([setting.ahead, setting.behind]).to.deep.equal([hour, hour - second])
    })

    it('no longer: it counts for two minutes of answers at most, and what it said has ended stays ended', () => {
      setting.setServer(hour).hear().clock.now()
      setting.setServer(0)
      for (const _ of Array(3)) setting.pass(minute).hear()
      expect(setting.ahead).to.equal(hour - 1.5 * minute)
      expect(setting.pass(2 * hour).hear().ahead).to.equal(0)
    })

    it('for as long as a minute of answers at least', () => {
      setting
        .hear()
        .pass(59 * second)
        .setServer(-hour)
        .hear()
      setting
        .setServer(0)
        .pass(2 * second)
        .hear()
      expect(setting.behind).to.equal(hour - second)
    })

    it('with a Date that is none: it says nothing', () => {
      setting.clock.heard({ date: Date.parse('tomorrow'), sent: 0, received: 0 })
      expect([setting.ahead, setting.behind]).to.deep.equal([0, 0])
    })
  })

  it('lets a late answer say no more than it can', () => {
    setting.hear(20 * second).setWall(hour)
    const { behind } = setting
    expect(behind).to.be.within(-20 * second - second, 0)
  })
})
