import { expect } from 'chai'

import type { AccessPolicy, AccessPolicyRevision, NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import { ApprovalIndex } from '../../../src/controllers/nhi-grant/approval-index.ts'
import { GrantStore } from '../../../src/controllers/nhi-grant/grant-store.ts'
import { WorldIndex } from '../../../src/world/world-index.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'
import { HandCache } from '../../support/hand-cache.ts'

const key = { namespace: 'payments', name: 'g' }

function grant(resourceVersion: number, status: NonNullable<NHIGrant['status']> = {}): NHIGrant {
  return nhiGrant((wire) => {
    wire.metadata = { ...key, uid: 'u-1', resourceVersion: String(resourceVersion), generation: 1 }
    wire.status = status
  }) as NHIGrant
}

class Setting {
  readonly grants = new HandCache<NHIGrant>()
  readonly world = new WorldIndex()
  readonly store = new GrantStore(
    { grants: this.grants, policies: new HandCache<AccessPolicy>(), revisions: new HandCache<AccessPolicyRevision>() },
    this.world,
    new ApprovalIndex(),
  )

  /** What a watch does. */
  see(seen: NHIGrant): void {
    this.grants.put(seen)
    this.world.put('NHIGrant', seen)
    this.store.caughtUp(seen)
  }

  get issued(): number {
    return this.store.world.liveGrants(grant(1).spec.policy.name, grant(1).spec.subject as never).length
  }
}

describe('the store of grants', () => {
  it('gives what was written until the cache shows that, or something newer', () => {
    const setting = new Setting()
    setting.see(grant(1))
    setting.store.wrote(grant(3))
    setting.see(grant(2))
    expect(setting.store.get(key)?.metadata.resourceVersion).to.equal('3')
    setting.see(grant(3))
    expect(setting.store.get(key)).to.equal(setting.grants.get(key))
    setting.see(grant(4))
    expect(setting.store.get(key)?.metadata.resourceVersion).to.equal('4')
  })

  it('gives what the cache shows when the answer to a write comes after it', () => {
    const setting = new Setting()
    setting.see(grant(2))
    setting.store.wrote(grant(2))
    expect(setting.store.get(key)).to.equal(setting.grants.get(key))
  })

  it('counts a grant as issued from its reservation on, once, until it has ended', () => {
    const setting = new Setting()
    const notAfter = '2027-01-01T01:00:00Z'
    setting.see(grant(1))
    const counts = [setting.issued]
    setting.store.reserve(grant(1))
    counts.push(setting.issued)
    setting.see(grant(2))
    counts.push(setting.issued)
    setting.see(grant(3, { state: 'Active', notAfter }))
    counts.push(setting.issued)
    setting.see(grant(4, { state: 'Expired', notAfter }))
    counts.push(setting.issued)
    expect(counts).to.deep.equal([0, 1, 1, 1, 0])
  })
})
