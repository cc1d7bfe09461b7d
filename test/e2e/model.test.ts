import { expect } from 'chai'

import { ControllersFixture } from '../support/controllers-fixture.ts'
import type { Tally } from '../support/grant-world.ts'
import { driveModel } from '../support/model-run.ts'

const everyCommand = [
  'ask',
  'ask until',
  'ask in an emergency',
  'ask for too much',
  'Approve by ana',
  'revoke',
  'delete',
  'a new version',
  'a new version, which needs approval',
  'withdraw the policy',
  'relabel the namespace',
  'suspend, or lift it',
  'start the task, or end it',
  'start the controllers',
  'partition',
]

/** The same with more lives and a seed of its own: `make model`. */
describe('random lives of grants', function () {
  this.timeout(400_000)

  // Its own: many controllers, each of which sees to one namespace.
  let fixture: ControllersFixture
  let tally: Tally
  before(async () => {
    fixture = await ControllersFixture.start()
  })
  after(() => fixture?.stop())

  it('invariant 10: give nothing that a model of the promises does not allow, and nothing beyond its end', async () => {
    tally = await driveModel(fixture, { seed: 21, runs: 3, lanes: 5, commands: 24 })
  })

  it('and do all that can be done, with access in between', () => {
    expect([...tally.done.keys()]).to.include.members(everyCommand)
    expect(tally.allowed).to.be.above(50)
  })
})
