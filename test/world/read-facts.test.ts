import { expect } from 'chai'
import type { LiveGrant } from '../../src/core/world.ts'
import { keyOf, readLabels, readLiveGrant, readRevision, readServiceAccount } from '../../src/world/read-facts.ts'
import { nhiGrant, type Wire } from '../api/v1alpha1/wire.ts'

const revision = {
  metadata: { name: 'payments-deploy-1.4.0' },
  spec: { policyName: 'payments-deploy', digest: 'sha256:d', policy: { version: '1.4.0' } },
  status: { supersededAt: '2027-01-15T12:00:00Z', revokedAt: '2027-01-16T12:00:00Z' },
}

describe('what is read of raw objects', () => {
  it('is the key, empty where the object does not say', () => {
    expect(keyOf({ metadata: { namespace: 'ci', name: 'deployer' } })).to.deep.equal({
      namespace: 'ci',
      name: 'deployer',
    })
    for (const object of [null, 'x', [], {}, { metadata: 1 }, { metadata: { name: 1 } }])
      expect(keyOf(object)).to.deep.equal({ namespace: '', name: '' })
  })

  it('is the labels that are text', () => {
    expect(readLabels({ metadata: { labels: { team: 'payments', tier: 1 } } })).to.deep.equal({ team: 'payments' })
    expect(readLabels({ metadata: { labels: ['team'] } })).to.not.have.property('team')
    expect(readLabels({})).to.deep.equal({})
  })

  it('is a ServiceAccount, whose token is mounted unless it says otherwise', () => {
    const metadata = { uid: 'u', labels: { a: 'b' } }
    expect(readServiceAccount({ metadata })).to.deep.equal({ uid: 'u', labels: { a: 'b' }, automount: null })
    expect(readServiceAccount({ metadata, automountServiceAccountToken: false }).automount).to.equal(false)
    expect(readServiceAccount({ metadata, automountServiceAccountToken: 'false' }).automount).to.equal(null)
  })

  it('is a recorded version, with when it ended', () => {
    expect(readRevision(revision)).to.deep.equal({
      policy: 'payments-deploy',
      version: '1.4.0',
      digest: 'sha256:d',
      appliedAt: null,
      supersededAt: Date.UTC(2027, 0, 15, 12),
      revokedAt: Date.UTC(2027, 0, 16, 12),
    })
    expect(readRevision({ spec: revision.spec })).to.include({ supersededAt: null, revokedAt: null })
    const applied = { spec: { ...revision.spec, appliedAt: '2027-01-14T12:00:00Z' } }
    expect(readRevision(applied)).to.include({ appliedAt: Date.UTC(2027, 0, 14, 12) })
  })

  it('is no version where policy, version or digest is missing', () => {
    const { policyName, digest, policy } = revision.spec
    for (const spec of [
      undefined,
      { digest, policy },
      { policyName, policy },
      { policyName, digest },
      { ...revision.spec, policy: {} },
    ])
      expect(readRevision({ spec })).to.equal(null)
  })
})

function read(status?: Wire, change: (grant: Wire) => void = () => undefined): LiveGrant | null {
  const object = nhiGrant((grant) => {
    grant.metadata.uid = 'grant-1'
    if (status !== undefined) grant.status = status
    change(grant)
  })
  return readLiveGrant(object)
}

describe('readLiveGrant', () => {
  it('takes a grant without status for Pending', () => {
    expect(read()).to.deep.equal({
      uid: 'grant-1',
      namespace: 'payments',
      name: 'rollout-2041',
      policy: 'payments-deploy',
      subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
      state: 'Pending',
      issued: false,
      bindings: [],
      notAfter: null,
      policyDigest: null,
      subjectUid: null,
      ending: false,
      waive: [],
    })
  })

  it('takes one whose window is on record for issued', () => {
    expect(read({ state: 'Pending', notAfter: '2027-01-15T12:00:00Z' })).to.include({ state: 'Pending', issued: true })
    expect(read({ state: 'Active' })).to.include({ state: 'Active', issued: true })
  })

  it('finds the UIDs of its bindings, and of nothing else', () => {
    const objects = [
      { kind: 'RoleBinding', name: 'a', uid: 'uid-a' },
      { kind: 'RoleBinding', name: 'b' },
      { kind: 'Role', name: 'c', uid: 'uid-c' },
      'RoleBinding',
    ]
    expect(read({ state: 'Active', objects })?.bindings).to.deep.equal(['uid-a'])
    expect(read({ state: 'Active', objects: 'all' })?.bindings).to.deep.equal([])
  })

  it('reads from the record alone until when it lasts, what it stands on and what it waives', () => {
    const status = {
      state: 'Active',
      notAfter: '2027-01-15T12:00:00Z',
      policy: { digest: 'sha256:d' },
      subject: { uid: 'u-1' },
      waive: ['exec', 1],
    }
    const recorded = { notAfter: Date.UTC(2027, 0, 15, 12), policyDigest: 'sha256:d', subjectUid: 'u-1' }
    expect(read(status)).to.deep.include({ ...recorded, waive: ['exec'] })
    expect(read({ state: 'Active' })).to.deep.include({ notAfter: null, policyDigest: null, waive: [] })
    expect(read({ ...status, waive: 'exec' })).to.deep.include({ waive: [] })
  })

  it('finds nothing waived by a grant that is revoked, or deleted, and has not ended yet', () => {
    const status = { state: 'Active', notAfter: '2027-01-15T12:00:00Z', waive: ['exec'] }
    expect(read(status, (grant) => (grant.spec.revoke = { reason: 'enough' }))).to.deep.include({
      ending: true,
      waive: [],
    })
    const deleted = read(status, (grant) => (grant.metadata.deletionTimestamp = '2027-01-15T11:00:00Z'))
    expect(deleted).to.deep.include({ state: 'Active', ending: true, waive: [] })
  })

  for (const state of ['Expired', 'Revoked', 'Denied', 'active'])
    it(`knows that ${state} is not live`, () => expect(read({ state })).to.equal(null))

  it('takes what cannot be parsed for none', () => {
    expect(read({ state: 'Active' }, (grant) => delete grant.spec.reason)).to.equal(null)
    expect(readLiveGrant(null)).to.equal(null)
  })
})
