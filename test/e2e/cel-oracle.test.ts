import { expect } from 'chai'
import { conditions } from '../support/oracle-cel.ts'
import { startOracle, type Oracle } from '../support/oracle.ts'

const expressions = 20_000
const questions = 2 * expressions

/** The least share of each verdict: agreement about one of them alone shows little. */
const least: Readonly<Record<string, number>> = { true: 0.15, false: 0.2, error: 0.2, refused: 0.05 }

describe("CEL, compared with the API server's own environment", () => {
  let oracle: Oracle

  before(async () => {
    oracle = await startOracle()
  })

  after(() => oracle.stop())

  it(`compiles or refuses ${expressions} expressions, and has the same values for 2 objects each`, async function () {
    this.timeout(300_000)
    const agreement = await conditions.run(oracle, { cases: expressions, seed: 20_360 })
    expect(agreement.difference).to.equal(null)
    expect(agreement.questions).to.equal(questions)
    expect([...agreement.verdicts.keys()]).to.have.members(Object.keys(least))
    for (const [verdict, share] of Object.entries(least))
      expect((agreement.verdicts.get(verdict) ?? 0) / questions, verdict).to.be.at.least(share)
  })
})
