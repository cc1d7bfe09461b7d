import { expect } from 'chai'

import type {
  AccessPolicy,
  AccessPolicyRevision,
  NHIGrant,
  NHIGrantApproval,
  NHISuspension,
} from '../../src/api/v1alpha1/objects.ts'
import type { KubeObject } from '../../src/cluster/ports.ts'
import { watchAll } from '../../src/controllers/watch.ts'
import { accessPolicy, nhiGrant, type Wire } from '../api/v1alpha1/wire.ts'
import { HandCache } from '../support/hand-cache.ts'

const policy = (change: (policy: Wire) => void = () => {}): AccessPolicy =>
  accessPolicy((wire) => {
    wire.metadata = { name: 'payments-deploy', uid: 'p-1', resourceVersion: '1', generation: 1 }
    wire.status = { grants: { active: 1 }, activeVersion: '1.4.0', conditions: [] }
    change(wire)
  }) as AccessPolicy

const grant = (state: string): NHIGrant =>
  nhiGrant((wire) => {
    wire.metadata = { namespace: 'payments', name: 'g', uid: 'g-1', resourceVersion: '1' }
    wire.status = { state }
  }) as NHIGrant

const account = (namespace: string, name: string): KubeObject => ({
  metadata: { namespace, name, uid: `${namespace}-${name}`, resourceVersion: '1' },
})

const approval = (name: string, approver: string): NHIGrantApproval =>
  ({
    metadata: { namespace: 'payments', name, uid: name, resourceVersion: '1' },
    spec: { grant: { name: 'g', uid: 'g-1' }, grantDigest: 'd', decision: 'Approve', reason: 'fine', approver },
  }) as unknown as NHIGrantApproval

const suspension = (subject: object): NHISuspension =>
  ({
    metadata: { name: 's', uid: 's', resourceVersion: '1' },
    spec: { subject, reason: 'leaked' },
  }) as unknown as NHISuspension

const namespace = (name: string): KubeObject => ({ metadata: { name, uid: name, resourceVersion: '1' } })

/** A policy and one grant under it, and caches of everything else that are empty. */
function cachesOfAGrant() {
  const policies = new HandCache<AccessPolicy>()
  const grants = new HandCache<NHIGrant>()
  policies.put(policy())
  grants.put(grant('Active'))
  const places = { namespaces: new HandCache<KubeObject>(), serviceAccounts: new HandCache<KubeObject>() }
  const others = { revisions: new HandCache<AccessPolicyRevision>(), clusterRoles: new HandCache<KubeObject>() }
  const said = { approvals: new HandCache<NHIGrantApproval>(), suspensions: new HandCache<NHISuspension>() }
  const carriers = { grantBindings: new HandCache<KubeObject>(), grantRoles: new HandCache<KubeObject>() }
  return { policies, grants, ...places, ...others, ...said, ...carriers }
}

describe('what a change concerns', () => {
  let caches: ReturnType<typeof cachesOfAGrant>
  let enqueued: string[] = []
  beforeEach(() => {
    caches = cachesOfAGrant()
    watchAll(caches, {
      policy: (name) => enqueued.push(`policy ${name}`),
      policyCount: (name) => enqueued.push(`count of ${name}`),
      grant: ({ name }) => enqueued.push(`grant ${name}`),
      grantsOfPolicy: (keys) => keys.forEach(({ name }) => enqueued.push(`grant ${name}`)),
    })
    enqueued = []
  })

  const itself = 'policy payments-deploy'
  const changes: readonly (readonly [what: string, change: (policy: Wire) => void, expected: readonly string[]])[] = [
    ['another count of its grants', (wire) => void (wire.status.grants = { active: 2 }), [itself]],
    ['another spec', (wire) => void (wire.metadata.generation = 2), [itself, 'grant g']],
    ['another active version', (wire) => void (wire.status.activeVersion = '1.5.0'), [itself, 'grant g']],
    ['other conditions', (wire) => void (wire.status.conditions = [{ type: 'Ready' }]), [itself, 'grant g']],
  ]
  for (const [what, change, expected] of changes)
    it(`of a policy with ${what} is ${expected.join(' and ')}`, () => {
      caches.policies.put(policy(change))
      expect(enqueued).to.deep.equal(expected)
    })

  it('of a policy that is gone is its grants too', () => {
    caches.policies.remove(policy())
    expect(enqueued).to.deep.equal([itself, 'grant g'])
  })

  it('of the state of a grant is the count of its policy, and nothing else of it', () => {
    caches.grants.put(grant('Expired'))
    expect(enqueued).to.deep.equal(['grant g', 'count of payments-deploy'])
  })

  it('of a grant in the same state is the grant alone', () => {
    caches.grants.put(grant('Active'))
    expect(enqueued).to.deep.equal(['grant g'])
  })

  it('of the account that a grant is for is the grant, of another one nothing', () => {
    caches.serviceAccounts.put(account('ci', 'deployer'))
    caches.serviceAccounts.remove(account('ci', 'deployer'))
    caches.serviceAccounts.put(account('payments', 'deployer'))
    caches.serviceAccounts.put(account('ci', 'other'))
    expect(enqueued).to.deep.equal(['grant g', 'grant g'])
  })

  describe('of who has approved a grant is the grant, for what he said may count no more, or again:', () => {
    const lead = 'system:serviceaccount:leads:ana'
    const spellings: Readonly<Record<string, object>> = {
      'a ServiceAccount': { kind: 'ServiceAccount', namespace: 'leads', name: 'ana' },
      'the User of that name': { kind: 'User', name: lead },
    }
    beforeEach(() => {
      caches.approvals.put(approval('one', lead))
      caches.approvals.put(approval('two', lead))
      caches.approvals.remove(approval('two', lead))
      enqueued = []
    })
    for (const [spelling, subject] of Object.entries(spellings))
      it(`a suspension of ${spelling}, and its end`, () => {
        caches.suspensions.put(suspension(subject))
        caches.suspensions.remove(suspension(subject))
        expect(enqueued).to.deep.equal(['grant g', 'grant g'])
      })

    it('an account that comes or goes, and not one that only changes', () => {
      caches.serviceAccounts.put(account('leads', 'ana'))
      caches.serviceAccounts.put(account('leads', 'ana'))
      caches.serviceAccounts.remove(account('leads', 'ana'))
      caches.serviceAccounts.put(account('leads', 'bea'))
      expect(enqueued).to.deep.equal(['grant g', 'grant g'])
    })

    it('nothing any more once the approval is gone', () => {
      caches.approvals.remove(approval('one', lead))
      enqueued = []
      caches.suspensions.put(suspension({ kind: 'User', name: lead }))
      caches.suspensions.put(suspension({ kind: 'Group', name: 'leads' }))
      expect(enqueued).to.deep.equal([])
    })
  })

  it('of a namespace is the grants in it, and those for an account of it', () => {
    for (const name of ['payments', 'ci', 'elsewhere']) caches.namespaces.put(namespace(name))
    expect(enqueued).to.deep.equal(['grant g', 'grant g'])
  })

  it('looks at none of the other grants', () => {
    caches.grants.list = () => expect.fail('all grants were looked at')
    caches.serviceAccounts.put(account('ci', 'deployer'))
    caches.namespaces.put(namespace('ci'))
    caches.policies.remove(policy())
    expect(enqueued).to.deep.equal(['grant g', 'grant g', itself, 'grant g'])
  })
})
