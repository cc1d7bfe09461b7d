import { expect } from 'chai'

import type { AccessPolicy, NHIGrant } from '../../src/api/v1alpha1/objects.ts'
import type { Cache, Change, ObjectKey } from '../../src/cluster/ports.ts'
import { watchAll } from '../../src/controllers/watch.ts'
import { accessPolicy, nhiGrant, type Wire } from '../api/v1alpha1/wire.ts'

/** A cache that a test fills and changes by hand. */
class HandCache<T> implements Cache<T> {
  readonly hasSynced = true
  objects: readonly T[] = []
  readonly #handlers: ((change: Change<T>) => void)[] = []

  get(): T | null {
    return null
  }

  list(): readonly T[] {
    return this.objects
  }

  subscribe(handler: (change: Change<T>) => void): void {
    this.#handlers.push(handler)
  }

  tell(key: ObjectKey, before: T | null, after: T | null): void {
    for (const handler of this.#handlers) handler({ key, before, after })
  }
}

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

describe('what a change concerns', () => {
  const policies = new HandCache<AccessPolicy>()
  const grants = new HandCache<NHIGrant>()
  const others = { revisions: new HandCache<never>(), clusterRoles: new HandCache<never>() }
  const places = { namespaces: new HandCache<never>(), serviceAccounts: new HandCache<never>() }
  let enqueued: string[] = []
  before(() => {
    grants.objects = [grant('Active')]
    watchAll(
      { policies, grants, ...others, ...places },
      {
        policy: (name) => enqueued.push(`policy ${name}`),
        policyCount: (name) => enqueued.push(`count of ${name}`),
        grant: ({ name }) => enqueued.push(`grant ${name}`),
      },
    )
  })
  beforeEach(() => {
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
      policies.tell({ namespace: '', name: 'payments-deploy' }, policy(), policy(change))
      expect(enqueued).to.deep.equal(expected)
    })

  it('of a policy that is gone is its grants too', () => {
    policies.tell({ namespace: '', name: 'payments-deploy' }, policy(), null)
    expect(enqueued).to.deep.equal([itself, 'grant g'])
  })

  it('of the state of a grant is the count of its policy, and nothing else of it', () => {
    grants.tell({ namespace: 'payments', name: 'g' }, grant('Pending'), grant('Active'))
    expect(enqueued).to.deep.equal(['grant g', 'count of payments-deploy'])
  })

  it('of a grant in the same state is the grant alone', () => {
    grants.tell({ namespace: 'payments', name: 'g' }, grant('Active'), grant('Active'))
    expect(enqueued).to.deep.equal(['grant g'])
  })
})
