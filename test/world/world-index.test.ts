import { expect } from 'chai'
import { isWorldKind, WorldIndex } from '../../src/world/world-index.ts'
import { accessPolicy, nhiGrant, type Wire } from '../api/v1alpha1/wire.ts'

function named(name: string, change: (policy: Wire) => void = () => undefined): Wire {
  return accessPolicy((policy) => {
    policy.metadata.name = name
    change(policy)
  })
}

function revision(version: string): Wire {
  const spec = { policyName: 'payments-deploy', digest: `digest of ${version}`, policy: { version } }
  return { metadata: { name: `payments-deploy-${version}` }, spec }
}

const stored = (status: object): Wire =>
  nhiGrant((grant) => {
    Object.assign(grant.metadata, { uid: 'u-1', creationTimestamp: '2027-01-15T12:00:00Z' })
    grant.status = status
  })

describe('WorldIndex', () => {
  it('knows nothing at first, and says so', () => {
    const world = new WorldIndex()
    expect(world.policy('payments-deploy')).to.equal(null)
    expect(world.policies()).to.deep.equal([])
    expect(world.revisions('payments-deploy')).to.deep.equal([])
    expect(world.namespaceLabels('payments')).to.equal(null)
    expect(world.serviceAccount('ci', 'deployer')).to.equal(null)
    expect(world.liveGrants('payments-deploy')).to.deep.equal([])
    expect(world.grant('payments', 'g')).to.equal(null)
    expect(world.grantBindings().size).to.equal(0)
    expect(world.rbac.clusterRole('admin')).to.equal(null)
  })

  it('knows every grant by its place, ended or not, and forgets it with its deletion', () => {
    const world = new WorldIndex()
    const place = ['payments', 'rollout-2041'] as const
    expect(world.grant(...place)).to.equal(null)
    world.put('NHIGrant', stored({ state: 'AwaitingApproval' }))
    const found = world.grant(...place)
    expect(found).to.include({ uid: 'u-1', state: 'AwaitingApproval', ending: false, unreviewed: false })
    expect(found?.digestUnder('a'))
      .to.match(/^sha256:/)
      .and.not.equal(found?.digestUnder('b'))
    world.put(
      'NHIGrant',
      stored({ state: 'Expired', review: { dueBy: '2027-01-16T12:00:00Z' }, policy: { digest: 'd' } }),
    )
    expect(world.grant(...place)).to.include({ state: 'Expired', unreviewed: true, policyDigest: 'd' })
    expect(world.grant('search', 'rollout-2041')).to.equal(null)
    world.remove('NHIGrant', stored({}))
    expect(world.grant(...place)).to.equal(null)
  })

  it('lists policies by name', () => {
    const world = new WorldIndex()
    for (const name of ['zeta', 'alpha', 'mid']) world.put('AccessPolicy', named(name))
    expect(world.policies().map((policy) => policy.name)).to.deep.equal(['alpha', 'mid', 'zeta'])
    world.remove('AccessPolicy', named('mid'))
    expect(world.policies().map((policy) => policy.name)).to.deep.equal(['alpha', 'zeta'])
    expect(world.policy('mid')).to.equal(null)
  })

  it('takes a policy that cannot be parsed for none, and remembers why', () => {
    const world = new WorldIndex()
    world.put('AccessPolicy', named('a'))
    world.put(
      'AccessPolicy',
      named('a', ({ spec }) => delete spec.owner),
    )
    expect(world.policy('a')).to.equal(null)
    expect(world.policies()).to.deep.equal([])
    expect(world.brokenPolicies.get('a')?.map(({ path, message }) => `${path}: ${message}`)).to.deep.equal([
      'spec.owner: is required',
    ])
    world.put('AccessPolicy', named('a'))
    expect(world.policy('a')?.name).to.equal('a')
    expect(world.brokenPolicies.size).to.equal(0)
  })

  it('forgets a broken policy that is gone', () => {
    const world = new WorldIndex()
    const broken = named('a', (policy) => delete policy.spec)
    world.put('AccessPolicy', broken)
    world.remove('AccessPolicy', broken)
    expect(world.brokenPolicies.size).to.equal(0)
  })

  it('keeps one record per version', () => {
    const world = new WorldIndex()
    for (const version of ['1.3.0', '1.4.0']) world.put('AccessPolicyRevision', revision(version))
    world.put('AccessPolicyRevision', { ...revision('1.3.0'), status: { supersededAt: '2027-01-15T12:00:00Z' } })
    expect(world.revisions('payments-deploy').map((known) => [known.version, known.supersededAt])).to.deep.equal([
      ['1.3.0', Date.UTC(2027, 0, 15, 12)],
      ['1.4.0', null],
    ])
    world.remove('AccessPolicyRevision', revision('1.4.0'))
    expect(world.revisions('payments-deploy').map((known) => known.version)).to.deep.equal(['1.3.0'])
  })

  it('gives each namespace the label of its name, as the API server does, whatever the object says', () => {
    const world = new WorldIndex()
    const labels = { team: 'payments', 'kubernetes.io/metadata.name': 'kube-system' }
    world.put('Namespace', { metadata: { name: 'payments', labels } })
    expect(world.namespaceLabels('payments')).to.deep.equal({
      team: 'payments',
      'kubernetes.io/metadata.name': 'payments',
    })
    world.remove('Namespace', { metadata: { name: 'payments' } })
    expect(world.namespaceLabels('payments')).to.equal(null)
  })

  it('tells ServiceAccounts of one name in two namespaces apart', () => {
    const world = new WorldIndex()
    for (const namespace of ['ci', 'qa'])
      world.put('ServiceAccount', { metadata: { namespace, name: 'deployer', uid: `uid in ${namespace}` } })
    world.remove('ServiceAccount', { metadata: { namespace: 'qa', name: 'deployer' } })
    expect(world.serviceAccount('ci', 'deployer')?.uid).to.equal('uid in ci')
    expect(world.serviceAccount('qa', 'deployer')).to.equal(null)
  })

  it('follows a grant from its creation to its end', () => {
    const world = new WorldIndex()
    const objects = [{ kind: 'RoleBinding', name: 'a', uid: 'uid-a' }]
    world.put('NHIGrant', nhiGrant())
    expect(world.liveGrants('payments-deploy').map((grant) => grant.state)).to.deep.equal(['Pending'])
    world.put(
      'NHIGrant',
      nhiGrant((grant) => (grant.status = { state: 'Active', objects })),
    )
    expect([...world.grantBindings()]).to.deep.equal(['uid-a'])
    world.put(
      'NHIGrant',
      nhiGrant((grant) => (grant.status = { state: 'Expired', objects })),
    )
    expect([world.liveGrants('payments-deploy').length, world.grantBindings().size]).to.deep.equal([0, 0])
  })

  it('forgets a grant that is deleted', () => {
    const world = new WorldIndex()
    world.put('NHIGrant', nhiGrant())
    world.remove('NHIGrant', nhiGrant())
    expect(world.liveGrants('payments-deploy')).to.deep.equal([])
  })

  it('follows a cache from before to after', () => {
    const world = new WorldIndex()
    const [first, second] = [named('a'), named('a', ({ spec }) => (spec.version = '1.5.0'))]
    world.apply('AccessPolicy', { before: null, after: first })
    world.apply('AccessPolicy', { before: first, after: second })
    expect(world.policy('a')?.version).to.equal('1.5.0')
    world.apply('AccessPolicy', { before: second, after: null })
    expect(world.policy('a')).to.equal(null)
  })

  it('hands RBAC objects on, namespaced and not', () => {
    const world = new WorldIndex()
    const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]
    const roles = {
      Role: { metadata: { namespace: 'ci', name: 'r' }, rules },
      ClusterRole: { metadata: { name: 'r' }, rules },
    }
    const found = () => [world.rbac.role('ci', 'r')?.rules.length, world.rbac.clusterRole('r')?.rules.length]
    for (const kind of ['Role', 'ClusterRole'] as const) world.put(kind, roles[kind])
    expect(found()).to.deep.equal([1, 1])
    for (const kind of ['Role', 'ClusterRole'] as const) world.remove(kind, roles[kind])
    expect(found()).to.deep.equal([undefined, undefined])
  })
})

describe('isWorldKind', () => {
  it('knows the kinds that decisions look at, and no other', () => {
    expect(['NHIGrant', 'Pod', 'constructor'].map(isWorldKind)).to.deep.equal([true, false, false])
  })
})
