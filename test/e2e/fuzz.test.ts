import { expect } from 'chai'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { fuzz, residentMegabytes } from '../support/fuzz-run.ts'
import { setFuzzStage, type FuzzStage } from '../support/fuzz-scene.ts'
import { fuzzSeeds } from '../support/fuzz-seeds.ts'

const cases = 5_000
/** Well below the limit of the chart. */
const mostMegabytes = 384

describe('the webhook process under spoilt reviews', () => {
  let controlPlane: ControlPlane
  let stage: FuzzStage

  before(async function () {
    this.timeout(180_000)
    controlPlane = await startControlPlane()
    stage = await setFuzzStage(controlPlane)
  })

  after(async () => {
    await stage?.lapse.stop()
    await controlPlane?.stop()
  })

  it(`answers each of ${cases} in good form, and allows none that must be refused`, async function () {
    this.timeout(300_000)
    const { scene, target, lapse } = stage
    const outcome = await fuzz(target, fuzzSeeds(scene), { cases, seed: 20_360 })
    expect(outcome.faults).to.deep.equal([])
    expect(outcome.cases).to.equal(cases)
    // A judge that always says the same makes no mistakes either.
    expect(outcome.claimed).to.be.at.least(cases * 0.3)
    expect(outcome.allowed).to.be.at.least(cases * 0.03)
    expect(outcome.rejected).to.be.at.least(cases * 0.05)
    expect(await residentMegabytes(target.pid)).to.be.below(mostMegabytes)
    expect(lapse.webhook.logs()).to.not.match(/review failed|review request failed|unhandled/i)
  })
})
