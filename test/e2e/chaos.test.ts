import { expect } from 'chai'

import { chaos, type ChaosOutcome } from '../../scripts/chaos/run.ts'
import { problemsIn } from '../../scripts/chaos/verdict.ts'

/** A minute of `make chaos`. */
describe('chaos: controller, webhook, kube-apiserver and etcd are killed at random while grants come and go', function () {
  this.timeout(300_000)

  // On a control plane of its own.
  let outcome: ChaosOutcome
  before(async () => {
    outcome = await chaos({ millis: 60_000, seed: 6 })
  })

  it('nobody may do anything beyond the bound, and nothing is left over', () => {
    expect(problemsIn(outcome)).to.deep.equal([])
  })

  it('and access was there to outlive its end', () => {
    expect(outcome.effective, 'grants that had effect').to.be.above(10)
    expect(outcome.answers).to.be.above(500)
  })
})
