import { expect } from 'chai'
import * as fc from 'fast-check'
import { comparison } from './oracle-comparison.ts'
import type { Oracle } from './oracle.ts'

/** Says of numbers whether they are below the bound; ours, below, says so of those under 100. */
function oracleWith(bound: number): Oracle {
  return {
    ask: (_topic, inputs) => Promise.resolve(inputs.map((input) => Number(input) < bound)),
    stop: () => Promise.resolve(),
  }
}

const below = comparison({
  name: 'below',
  unit: 'numbers',
  topic: 'covers',
  cases: fc.integer({ min: 0, max: 300 }),
  input: (one) => one,
  ours: (one) => one < 100,
  theirs: (output) => output === true,
  verdicts: (answer) => [answer ? 'below' : 'not below'],
})

describe('comparison', () => {
  it('counts what was compared, and what came of it', async () => {
    const { cases, questions, verdicts, difference } = await below.run(oracleWith(100), { cases: 450, seed: 1 })
    expect({ cases, questions, difference }).to.deep.equal({ cases: 450, questions: 450, difference: null })
    expect([...verdicts.keys()]).to.have.members(['below', 'not below'])
    expect([...verdicts.values()].reduce((sum, count) => sum + count, 0)).to.equal(450)
  })

  it('finds the smallest case that is answered differently, and shows both answers', async () => {
    const { cases, difference } = await below.run(oracleWith(90), { cases: 450, seed: 1 })
    expect(difference).to.equal('case: 90\nours: true\ntheirs: false')
    expect(cases).to.be.below(450)
  })

  it('finds a difference in whatever batch it lies', async () => {
    let batches = 0
    const late: Oracle = {
      ask: (topic, inputs) => oracleWith(inputs.length > 1 && ++batches < 3 ? 100 : 90).ask(topic, inputs),
      stop: () => Promise.resolve(),
    }
    expect((await below.run(late, { cases: 450, seed: 1 })).cases).to.equal(400)
  })

  it('has the same cases for the same seed', async () => {
    const first = await below.run(oracleWith(100), { cases: 450, seed: 7 })
    const again = await below.run(oracleWith(100), { cases: 450, seed: 7 })
    const others = await below.run(oracleWith(100), { cases: 450, seed: 8 })
    expect(again).to.deep.equal(first)
    expect(others.verdicts).to.not.deep.equal(first.verdicts)
  })

  it('passes on that the oracle failed', async () => {
    const broken: Oracle = { ask: () => Promise.reject(new Error('it has ended')), stop: () => Promise.resolve() }
    const outcome = await below.run(broken, { cases: 1, seed: 1 }).catch((error: Error) => error.message)
    expect(outcome).to.equal('it has ended')
  })
})
