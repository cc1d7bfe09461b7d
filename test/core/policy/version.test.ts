import { expect } from 'chai'
import { compareVersions } from '../../../src/core/policy/version.ts'

describe('compareVersions', () => {
  const rising: readonly (readonly [sentence: string, older: string, newer: string])[] = [
    ['counts, and does not compare letters', '1.9.0', '1.10.0'],
    ['looks at the major number first', '1.99.99', '2.0.0'],
    ['looks at the patch last', '1.4.0', '1.4.1'],
    ['puts a prerelease before its release', '1.4.0-rc.1', '1.4.0'],
    ['puts a prerelease after the release before', '1.3.9', '1.4.0-rc.1'],
    ['counts the numbers of a prerelease', '1.4.0-rc.9', '1.4.0-rc.10'],
    ['puts a number before a word', '1.4.0-1', '1.4.0-rc'],
    ['puts the longer of two equal beginnings last', '1.4.0-rc', '1.4.0-rc.0'],
    ['counts to nine digits', '1.0.999999998', '1.0.999999999'],
  ]
  for (const [sentence, older, newer] of rising) {
    it(`${sentence}: ${older} < ${newer}`, () => {
      expect([compareVersions(older, newer), compareVersions(newer, older)]).to.deep.equal([-1, 1])
    })
  }

  it('knows a version as itself', () => expect(compareVersions('1.4.0-rc.1', '1.4.0-rc.1')).to.equal(0))
})
