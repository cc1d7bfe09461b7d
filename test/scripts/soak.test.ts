import { expect } from 'chai'
import type { Outcome } from '../../scripts/soak/run.ts'
import { lowsOf, type Reading, slopeOf } from '../../scripts/soak/slope.ts'
import { faultsOf } from '../../scripts/soak/verdict.ts'

const minute = 60_000

const reading = (life: number, at: number, value: number): Reading => ({ life, at, value })

describe('the slope of memory', () => {
  it('is exact for a straight line, with no doubt', () => {
    const line = [0, 1, 2, 3].map((at) => reading(1, at, 100 + 7 * at))
    expect(slopeOf(line).perHour).to.be.closeTo(7, 1e-9)
    expect(slopeOf(line).margin).to.be.closeTo(0, 1e-6)
  })

  it('takes no step between two processes for growth', () => {
    const flat = [1, 2].flatMap((life) => [0, 1, 2].map((at) => reading(life, at + 3 * life, 100 * life)))
    expect(slopeOf(flat).perHour).to.be.closeTo(0, 1e-9)
  })

  it('doubts what swings: by least squares, and the interval of Student for two degrees of freedom', () => {
    const { perHour, margin } = slopeOf([0, 1, 2, 3].map((at) => reading(1, at, at % 2 === 0 ? 0 : 2)))
    expect(perHour).to.be.closeTo(0.4, 1e-9)
    // the rest is 3.2, so 4.303 × √(3.2 / 2 / 5)
    expect(margin).to.be.closeTo(2.434, 0.1)
  })

  it('says nothing of too few readings', () => {
    expect(slopeOf([reading(1, 0, 1), reading(1, 1, 9)])).to.deep.equal({ perHour: 0, margin: Infinity })
  })

  it('looks at the lows, each process by itself', () => {
    const saw = [reading(1, 0, 5), reading(1, 0.4, 3), reading(2, 0.4, 9), reading(1, 1.2, 4)]
    expect(lowsOf(saw, 3_600_000).map(({ life, value }) => [life, value])).to.deep.equal([
      [1, 3],
      [2, 9],
      [1, 4],
    ])
  })
})

describe('the verdict of the soak', () => {
  const calm: Outcome = {
    millis: 20 * minute,
    asked: 100,
    refused: 0,
    policyVersions: 3,
    faults: 10,
    controllers: 1,
    leasesLost: 0,
    crashes: [],
    leftovers: [],
    looks: 100,
    late: [],
    overstay: { undisturbed: 100, disturbed: 60_000 },
    rss: { perHour: 50, margin: 60 },
    heap: { perHour: -5, margin: 60 },
    filesBefore: 30,
    filesAfter: 40,
  }

  it('is that nothing is wrong with a calm run', () => {
    expect(faultsOf(calm)).to.deep.equal([])
  })

  const wrong: readonly (readonly [what: string, changed: Partial<Outcome>, why: RegExp])[] = [
    ['a binding that is left', { leftovers: ['RoleBinding a'] }, /^left over: RoleBinding a$/],
    ['a crash', { crashes: ['webhook ended (1)'] }, /^webhook ended/],
    ['nobody who looked', { looks: 0 }, /^nobody ever saw/],
    ['access that outlived its end', { overstay: { undisturbed: 5_001, disturbed: 0 } }, /5001 ms outside of outages/],
    ['a controller that is gone', { filesAfter: null }, /does not answer at the end$/],
    ['files that stay open', { filesAfter: 41 }, /^41 open files at the end, 30 before/],
    ['memory that clearly grows', { rss: { perHour: 80, margin: 60 } }, /^RSS grows: \+80\.0 MB\/h ± 60\.0/],
    ['no process to judge', { rss: { perHour: 0, margin: Infinity } }, /^no controller lived long enough/],
  ]
  for (const [what, changed, why] of wrong)
    it(`names ${what}`, () => {
      const problems = faultsOf({ ...calm, ...changed })
      expect(problems).to.have.length(1)
      expect(problems[0]).to.match(why)
    })

  it('does not judge the memory of a short run', () => {
    expect(faultsOf({ ...calm, millis: 10 * minute, rss: { perHour: 900, margin: 1 } })).to.deep.equal([])
  })
})
