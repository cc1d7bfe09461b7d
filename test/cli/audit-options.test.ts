import { expect } from 'chai'
import { lapse } from './fake-io.ts'

describe('lapse controller --audit-log', () => {
  for (const nowhere of ['none', 'off', 'false', '/dev/null'])
    it(`does not take ${nowhere} for a place`, async () => {
      const outcome = await lapse(['controller', '--audit-log', nowhere])
      expect(outcome.code).to.equal(2)
      expect(outcome.stderr).to.match(/^lapse controller: --audit-log cannot be turned off: nothing is issued without/)
    })
})
