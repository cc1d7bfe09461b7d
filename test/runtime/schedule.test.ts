import { expect } from 'chai'
import * as fc from 'fast-check'
import { Schedule } from '../../src/runtime/schedule.ts'

describe('the schedule', () => {
  it('hands out each key once, at the earliest instant that was asked for, the earliest first', () => {
    const appointments = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'), fc.integer({ min: 0, max: 50 })),
      {
        maxLength: 60,
        size: 'max',
      },
    )
    fc.assert(
      fc.property(appointments, fc.integer({ min: 0, max: 50 }), (asked, now) => {
        const schedule = new Schedule()
        const earliest = new Map<string, number>()
        for (const [key, at] of asked) {
          schedule.set(key, at)
          earliest.set(key, Math.min(at, earliest.get(key) ?? Infinity))
        }
        expect(schedule.next()).to.equal(asked.length === 0 ? null : Math.min(...earliest.values()))
        const taken: string[] = []
        for (let key = schedule.take(now); key !== null; key = schedule.take(now)) taken.push(key)
        const due = [...earliest].filter(([, at]) => at <= now)
        expect([...taken].sort()).to.deep.equal(due.map(([key]) => key).sort())
        const instants = taken.map((key) => earliest.get(key) ?? 0)
        expect(instants).to.deep.equal([...instants].sort((a, b) => a - b))
        expect(schedule.size).to.equal(earliest.size - due.length)
      }),
      { seed: 20_261_104, numRuns: 500 },
    )
  })
})
