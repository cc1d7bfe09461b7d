import { expect } from 'chai'

import type { ControllersFixture } from '../support/controllers-fixture.ts'
import type { Tally } from '../support/grant-world.ts'
import { driveModel, startModelFixture } from '../support/model-run.ts'
import { lastTurns } from '../support/world-turns.ts'

const everyCommand = [
  'ask',
  'ask until',
  'ask in an emergency',
  'ask for the whole cluster',
  'ask with a credential',
  'ask for too much',
  'Approve by ana',
  'revoke',
  'delete',
  'a new version',
  'a new version, which needs approval',
  'a new version, for namespaces only',
  'withdraw the policy',
  'relabel the namespace',
  'begin the incident, or end it',
  'begin the freeze, or end it',
  'begin the rush, or end it',
  'all is well again',
  'suspend, or lift it',
  'start the task, or end it',
  'tamper: another account in the place of an identity',
  'start the controllers',
  'partition',
  ...Object.keys(lastTurns).map((name) => `end ${name}`),
]

const access = [
  'patch deployments',
  'patch deployments elsewhere',
  'get deployments, by an identity of its own',
  'have a token, by an identity of its own',
]

/** The same with more lives and a seed of its own: `make model`. */
describe('random lives of grants', function () {
  this.timeout(400_000)

  // Its own: many controllers, each of which sees to one namespace.
  let fixture: ControllersFixture
  let tally: Tally
  before(async () => {
    fixture = await startModelFixture()
  })
  after(() => fixture?.stop())

  it('invariant 10: give nothing that a model of the promises does not allow, and nothing beyond its end', async () => {
    tally = await driveModel(fixture, { seed: 61, runs: 3, lanes: 5, commands: 40 })
  })

  it('and do all that can be done, with access in between', () => {
    expect([...tally.done.keys()]).to.include.members(everyCommand)
    expect([...tally.allowed.keys()]).to.include.members(access)
  })
})
