import { expect } from 'chai'
import type { NHIGrantApproval } from '../../../src/api/v1alpha1/objects.ts'
import { ApprovalIndex } from '../../../src/controllers/nhi-grant/approval-index.ts'
import { nhiGrantApproval } from '../../api/v1alpha1/wire.ts'

const key = { namespace: '', name: '' } // the index does not look at it

function approval(name: string, grant: object = {}, namespace = 'payments'): NHIGrantApproval {
  return nhiGrantApproval((one) => {
    one.metadata = { namespace, name, uid: `${namespace}/${name}`, creationTimestamp: '2027-01-15T12:00:00Z' }
    Object.assign(one.spec.grant, grant)
  }) as NHIGrantApproval
}

describe('ApprovalIndex', () => {
  const index = new ApprovalIndex('lapse-system')
  const names = (namespace: string, uid: string): readonly string[] => index.of(namespace, uid).map(({ name }) => name)
  const put = (one: NHIGrantApproval): void => index.apply({ key, before: null, after: one })

  it('knows what is said of a grant by its UID, in its own namespace', () => {
    put(approval('a'))
    put(approval('b'))
    put(approval('c', { uid: 'uid-2' }))
    put(approval('d', {}, 'search'))
    expect(names('payments', 'uid-1')).to.deep.equal(['a', 'b'])
    expect(names('payments', 'uid-2')).to.deep.equal(['c'])
    expect(names('ci', 'uid-1')).to.deep.equal([])
    expect(index.of('payments', 'uid-2')[0]).to.include({
      decision: 'Approve',
      approver: 'ana',
      createdAt: Date.UTC(2027, 0, 15, 12),
    })
  })

  it('knows what is said of a grant without a namespace from the one of the operator only', () => {
    const wide = { kind: 'ClusterNHIGrant', uid: 'uid-3' }
    put(approval('e', wide))
    put(approval('f', wide, 'lapse-system'))
    expect(names('', 'uid-3')).to.deep.equal(['f'])
    expect(names('payments', 'uid-3')).to.deep.equal([])
    put(approval('g', { uid: 'uid-3' }, 'lapse-system'))
    expect(names('', 'uid-3')).to.deep.equal(['f'])
  })

  it('forgets what is gone', () => {
    index.apply({ key, before: approval('a'), after: null })
    expect(names('payments', 'uid-1')).to.deep.equal(['b'])
    index.apply({ key, before: approval('b'), after: null })
    expect(names('payments', 'uid-1')).to.deep.equal([])
  })
})
