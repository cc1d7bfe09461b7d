import { expect } from 'chai'
import { mock } from 'node:test'
import { systemClock } from '../../src/runtime/clock.ts'

const day = 86_400_000
/** Beyond it, Node fires a timer after one millisecond. */
const longestTimer = 2 ** 31 - 1

describe('the system clock', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000 }))
  afterEach(() => mock.timers.reset())

  it('F21: waits longer than a timer of Node can', () => {
    let fired = 0
    systemClock.after(60 * day, () => (fired += 1))
    mock.timers.tick(longestTimer)
    mock.timers.tick(longestTimer)
    mock.timers.tick(60 * day - 2 * longestTimer - 1)
    expect(fired).to.equal(0)
    mock.timers.tick(1)
    expect(fired).to.equal(1)
  })

  it('can be called off, in a later part of a long wait too', () => {
    let fired = 0
    const cancel = systemClock.after(60 * day, () => (fired += 1))
    mock.timers.tick(30 * day)
    cancel()
    mock.timers.tick(60 * day)
    expect(fired).to.equal(0)
  })

  it('runs what is overdue at the next turn, not at once', () => {
    let fired = 0
    systemClock.after(-5, () => (fired += 1))
    expect(fired).to.equal(0)
    mock.timers.tick(1)
    expect(fired).to.equal(1)
  })
})
