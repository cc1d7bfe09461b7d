import { expect } from 'chai'
import { compareVersions } from '../../../src/core/cel/version-order.ts'
import { compareVersions as compareSmall } from '../../../src/core/policy/version.ts'

const huge = '18446744073709551615'
/** From the oldest to the newest, as semver.org has it. */
const ordered = [
  '1.0.0-1',
  '1.0.0-2',
  '1.0.0-10',
  `1.0.0-${huge}`,
  '1.0.0-a-99999999999999999999999',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.10.0',
  '2.0.0',
  `${huge}.0.0`,
] as const

describe('the order of versions', () => {
  it('is that of semver.org, whatever the size of the numbers', () => {
    for (const [left, a] of ordered.entries())
      for (const [right, b] of ordered.entries())
        expect(Math.sign(compareVersions(a, b)), `${a} and ${b}`).to.equal(Math.sign(left - right))
  })

  it('is that of policies, where their numbers are small', () => {
    const small = ordered.filter((version) => !/\d{16}/.test(version))
    for (const a of small)
      for (const b of small) expect(Math.sign(compareVersions(a, b))).to.equal(Math.sign(compareSmall(a, b)))
  })

  it('does not look at the build', () => {
    expect(compareVersions('1.0.0+a', '1.0.0+b')).to.equal(0)
  })
})
