import { expect } from 'chai'
import { lookAgain } from '../../../src/controllers/nhi-grant/look-again.ts'
import type { TwoSidedClock } from '../../../src/runtime/clock.ts'
import { after, again, done } from '../../../src/runtime/queue.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('when to look at a grant again', () => {
  const now = Date.UTC(2027, 0, 1)
  const behind = (by: number): TwoSidedClock =>
    Object.assign(new FakeClock(now), { earliest: () => now - by }) satisfies TwoSidedClock

  it('is at the instant that is to come', () => {
    expect(lookAgain(now + 1, behind(0))).to.deep.equal(again(now + 1))
  })

  it('is when something changes, without an instant', () => {
    expect(lookAgain(null, behind(0))).to.deep.equal(done)
  })

  it('is when the clock that is behind comes to it, and not at once again and again', () => {
    expect(lookAgain(now, behind(40))).to.deep.equal(after(40))
    expect(lookAgain(now - 1, behind(0))).to.deep.equal(after(1))
  })

  it('is within ten seconds however far that one is behind: it may be put right', () => {
    expect(lookAgain(now, behind(3_600_000))).to.deep.equal(after(10_000))
  })
})
