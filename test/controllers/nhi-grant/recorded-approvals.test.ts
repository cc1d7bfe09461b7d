import { expect } from 'chai'
import { grantDigestOf } from '../../../src/api/v1alpha1/digest.ts'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import { observeGrant } from '../../../src/controllers/nhi-grant/observe.ts'
import { recordedStatus } from '../../../src/controllers/nhi-grant/status.ts'
import type { GrantRecord } from '../../../src/core/grant/record.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'

const given = [{ name: 'by-ana', approver: 'ana' }]
const now = Date.UTC(2027, 0, 15, 12)

function active(approvedUnder: string, issuedUnder: string): NHIGrant {
  return nhiGrant((grant) => {
    grant.metadata.uid = 'u-1'
    const approvals = { required: 1, digest: grantDigestOf(grant.spec, approvedUnder), given }
    const window = { issuedAt: '2027-01-15T12:00:00Z', notAfter: '2027-01-15T12:30:00Z' }
    grant.status = { state: 'Active', policy: { version: '1.4.0', digest: issuedUnder }, approvals, ...window }
  }) as NHIGrant
}

describe('the approvals on record', () => {
  it('count for the version that the grant was issued under, and for no other', () => {
    expect(observeGrant(active('sha256:1', 'sha256:1')).recorded!.approvals).to.equal(1)
    expect(observeGrant(active('sha256:1', 'sha256:2')).recorded!.approvals).to.equal(0)
  })

  it('are dropped when the grant is issued under a version that needs none', () => {
    const record: GrantRecord = {
      issuedAt: now,
      notAfter: now + 60_000,
      policy: { name: 'payments-deploy', version: '1.5.0', digest: 'sha256:2' },
      subject: { name: 'ci', uid: null },
      rules: [],
      waive: [],
      decision: { outcome: 'Allow', reasons: [] },
      approvals: null,
      untilUid: null,
      reviewBy: null,
      onRevoke: null,
      objects: [],
    }
    expect(recordedStatus(active('sha256:1', 'sha256:1'), record, now)).to.not.have.property('approvals')
  })
})
