import { expect } from 'chai'

import { Restraint } from '../../../src/controllers/nhi-grant/restraint.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('F11: restoring what somebody goes on deleting', () => {
  let clock: FakeClock
  let restraint: Restraint
  beforeEach(() => {
    clock = new FakeClock()
    restraint = new Restraint(clock)
  })

  it('is at once the first time, and waits twice as long each time after, up to a minute', async () => {
    const pauses: number[] = []
    for (let n = 0; n < 9; n += 1) {
      pauses.push(restraint.pauseFor('u-1'))
      await clock.advance(restraint.pauseFor('u-1'))
      restraint.restored('u-1')
    }
    expect(pauses).to.deep.equal([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  })

  it('waits only for what is left of the pause', async () => {
    restraint.restored('u-1')
    await clock.advance(400)
    expect(restraint.pauseFor('u-1')).to.equal(600)
  })

  it('is for each grant by itself', () => {
    restraint.restored('u-1')
    expect(restraint.pauseFor('u-2')).to.equal(0)
  })

  it('is at once again after ten minutes of quiet', async () => {
    for (let n = 0; n < 5; n += 1) restraint.restored('u-1')
    await clock.advance(600_000)
    expect(restraint.pauseFor('u-1')).to.equal(0)
    restraint.restored('u-1')
    expect(restraint.pauseFor('u-1')).to.equal(1_000)
  })
})
