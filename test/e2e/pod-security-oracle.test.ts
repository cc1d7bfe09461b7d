import { expect } from 'chai'
import { podSecurity, podSecurityReasons } from '../support/oracle-pod-security.ts'
import { startOracle, type Oracle } from '../support/oracle.ts'

const pods = 20_000

describe("Pod Security, compared with Kubernetes' own evaluator", () => {
  let oracle: Oracle

  before(async () => {
    oracle = await startOracle()
  })

  after(() => oracle.stop())

  it(`finds the same violations in ${pods} pods at every level, over all versions`, async function () {
    this.timeout(300_000)
    const { cases, verdicts, difference } = await podSecurity.run(oracle, { cases: pods, seed: 20_360 })
    expect(difference).to.equal(null)
    expect(cases).to.equal(pods)
    // Agreement over pods that never break a check, or always do, shows nothing.
    for (const reason of Object.values(podSecurityReasons)) {
      expect(verdicts.get(reason) ?? 0, reason).to.be.within(pods / 100, pods)
    }
    expect(verdicts.get('nothing at privileged')).to.equal(pods)
    for (const level of ['baseline', 'restricted']) {
      expect(verdicts.get(`nothing at ${level}`) ?? 0, level).to.be.within(pods / 50, pods / 2)
    }
  })
})
