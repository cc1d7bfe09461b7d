import { expect } from 'chai'
import { checkLease, type LeaseConfig } from '../../src/cli/lease.ts'
import { UsageError } from '../../src/runtime/usage-error.ts'

const usual: LeaseConfig = {
  leaseName: 'lapse-controller',
  leaseNamespace: null,
  identity: null,
  leaseDuration: 15_000,
  renewDeadline: 10_000,
  retryPeriod: 2_000,
}

describe('the options of the lease', () => {
  it('are good as they are by default, and with a renewal three times before the deadline', () => {
    checkLease(usual)
    checkLease({ ...usual, retryPeriod: 3_333 })
  })

  const refused: readonly (readonly [what: string, changed: Partial<LeaseConfig>, why: RegExp])[] = [
    ['a deadline at the end of the lease', { renewDeadline: 15_000 }, /^--renew-deadline must be less than --lease-/],
    ['a renewal only twice before the deadline', { retryPeriod: 5_000 }, /^--retry-period must be at most a third/],
    ['no time between renewals', { retryPeriod: 0 }, /^--retry-period must be/],
    ['an identity that everybody has', { identity: '' }, /^--identity must not be empty$/],
    ['a lease without a name', { leaseName: '' }, /^--lease-name must not be empty$/],
  ]
  for (const [what, changed, why] of refused)
    it(`are refused with ${what}`, () => {
      expect(() => checkLease({ ...usual, ...changed })).to.throw(UsageError, why)
    })
})
