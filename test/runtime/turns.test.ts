import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { Turns } from '../../src/runtime/turns.ts'

describe('Turns', () => {
  let time = 0
  let went = 0
  let turns: Turns
  beforeEach(() => {
    time = 0
    went = 0
    turns = new Turns({ monotonic: () => time }, () => void (went += 1))
  })

  it('lets work go on for ten milliseconds, and not for longer', () => {
    expect(turns.has()).to.equal(true)
    time = 9
    expect(turns.has()).to.equal(true)
    time = 10
    expect(turns.has()).to.equal(false)
  })

  it('says when work that had to wait may go on: when everything else has had its turn', async () => {
    expect(turns.has()).to.equal(true)
    time = 10
    expect([turns.has(), turns.has(), went]).to.deep.equal([false, false, 0])
    await setImmediate()
    expect(went).to.equal(1)
    expect(turns.has()).to.equal(true)
  })

  it('says nothing when no work had to wait', async () => {
    expect(turns.has()).to.equal(true)
    await setImmediate()
    await setImmediate()
    expect(went).to.equal(0)
  })
})
