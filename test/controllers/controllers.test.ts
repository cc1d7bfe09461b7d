import { expect } from 'chai'

import type {
  AccessPolicy,
  AccessPolicyRevision,
  NHIGrant,
  NHIGrantApproval,
  NHISuspension,
} from '../../src/api/v1alpha1/objects.ts'
import type { ClusterClient, KubeObject } from '../../src/cluster/ports.ts'
import { Controllers } from '../../src/controllers/controllers.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { createMetrics } from '../../src/runtime/metrics.ts'
import { nhiGrant } from '../api/v1alpha1/wire.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { HandCache } from '../support/hand-cache.ts'

const labels = { 'lapse.dev/managed-by': 'lapse', 'lapse.dev/grant-uid': 'u-1' }

function binding(): KubeObject {
  return { metadata: { namespace: 'payments', name: 'lapse-u-1', uid: 'b-1', resourceVersion: '1', labels } }
}

function grant(state: string, n = 1): NHIGrant {
  return nhiGrant((wire) => {
    wire.metadata = { namespace: 'payments', name: `g-${n}`, uid: `u-${n}`, resourceVersion: '1', generation: 1 }
    wire.status = {
      state,
      observedGeneration: 1,
      notAfter: '2027-01-01T01:00:00Z',
      objects: [{ kind: 'RoleBinding', name: `lapse-u-${n}`, uid: `b-${n}` }],
      ...(state === 'Expired' ? { revocation: { verifiedAt: '2027-01-01T01:00:00Z' } } : {}),
    }
  }) as NHIGrant
}

/** Controllers on caches that a test fills, whose API server has what `stored` and `storedGrants` hold. */
class Setting {
  readonly clock = new FakeClock(Date.UTC(2027, 0, 1))
  readonly caches = {
    policies: new HandCache<AccessPolicy>(),
    revisions: new HandCache<AccessPolicyRevision>(),
    grants: new HandCache<NHIGrant>(),
    approvals: new HandCache<NHIGrantApproval>(),
    suspensions: new HandCache<NHISuspension>(),
    namespaces: new HandCache<KubeObject>(),
    serviceAccounts: new HandCache<KubeObject>(),
    clusterRoles: new HandCache<KubeObject>(),
    grantBindings: new HandCache<KubeObject>(),
    grantRoles: new HandCache<KubeObject>(),
  }
  readonly calls: string[] = []
  readonly metrics = createMetrics({ version: 'test' })
  readonly controllers: Controllers
  stored: readonly KubeObject[] = []
  storedGrants: readonly NHIGrant[] = []

  constructor() {
    this.controllers = new Controllers({
      client: this.#client(),
      events: { record: () => {} },
      audit: { write: () => Promise.resolve() },
      caches: this.caches,
      clock: this.clock,
      log: silentLog,
      poolSize: 1,
      bindableClusterRoles: [],
      observer: this.metrics,
      random: () => 0,
    })
  }

  /** Started, and past the sweep that every start begins with. */
  async started(): Promise<this> {
    this.controllers.start()
    await this.clock.advance(0)
    expect(this.sweeps).to.equal(1)
    return this
  }

  /** How often the bindings of all grants were listed. */
  get sweeps(): number {
    return this.calls.filter((call) => call === 'list rolebindings').length
  }

  get deletes(): readonly string[] {
    return this.calls.filter((call) => call.startsWith('delete rolebindings'))
  }

  /** How many grants wait for a worker. */
  async depth(): Promise<number> {
    const { body } = await this.metrics.render()
    return Number(/^workqueue_depth\{name="nhigrant".*\} (\d+)$/m.exec(body)?.[1] ?? 0)
  }

  #client(): ClusterClient {
    const lists: Readonly<Record<string, () => readonly object[]>> = {
      rolebindings: () => this.stored,
      nhigrants: () => this.storedGrants,
    }
    return {
      get: async () => null,
      list: async ({ plural }, { namespace = '' } = {}) => {
        if (namespace === '') this.calls.push(`list ${plural}`)
        return (lists[plural]?.() ?? []) as readonly KubeObject[]
      },
      create: async (_, object) => object as KubeObject,
      createSubresource: async (_, __, ___, object) => object as KubeObject,
      replace: async (_, object) => object,
      replaceStatus: async (_, object, status) => ({ ...object, status }),
      delete: async ({ plural }, { name }) => {
        this.calls.push(`delete ${plural} ${name}`)
        this.stored = this.stored.filter(({ metadata }) => metadata.name !== name)
        return 'deleted'
      },
      isAllowed: async () => false,
    }
  }
}

describe('controllers that start', () => {
  it('end first what is overdue, however many others are to end as well', async () => {
    const setting = new Setting()
    const { grants } = setting.caches
    for (let n = 0; n < 1_000; n++) grants.put(grant('Active', n))
    const overdue = grant('Active', 1_000)
    grants.put({ ...overdue, status: { ...overdue.status, notAfter: '2026-12-31T23:59:59Z' } })
    await setting.started()
    expect([setting.deletes.length > 32, setting.deletes[0]]).to.deep.equal([true, 'delete rolebindings lapse-u-1000'])
  })
})

describe('controllers that stand by', () => {
  it('collect nothing of the grants that come and go, and delete nothing of them once they lead', async () => {
    const setting = new Setting()
    const { grants } = setting.caches
    for (let n = 0; n < 1_000; n++) {
      grants.put(grant('Active', n))
      grants.remove(grant('Active', n))
    }
    expect(grants.list()).to.deep.equal([])
    expect(await setting.depth()).to.equal(0)
    await setting.started()
    await setting.clock.advance(10_000)
    expect(setting.deletes).to.deep.equal([])
    expect(await setting.depth()).to.equal(0)
  })

  it('delete what carried a grant that goes while they lead', async () => {
    const setting = await new Setting().started()
    setting.caches.grants.put(grant('Active'))
    setting.caches.grants.remove(grant('Active'))
    await setting.clock.advance(0)
    expect(setting.deletes).to.deep.equal(['delete rolebindings lapse-u-1'])
  })

  it('take over only when every cache was listed anew', async () => {
    const setting = new Setting()
    const listings = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const taken = setting.controllers.takeOver(listings.map(({ promise }) => ({ refresh: () => promise })))
    listings[0]!.resolve()
    await setting.clock.advance(1_000)
    expect(setting.sweeps).to.equal(0)
    listings[1]!.resolve()
    await taken
    await setting.clock.advance(0)
    expect(setting.sweeps).to.equal(1)
  })

  it('do not take over when a cache is stopped before', async () => {
    const setting = new Setting()
    const stopped = new Error('stopped')
    const taken = setting.controllers.takeOver([{ refresh: () => Promise.reject(stopped) }])
    expect(await taken.catch((error: unknown) => error)).to.equal(stopped)
    await setting.clock.advance(1_000)
    expect(setting.sweeps).to.equal(0)
  })
})

describe('the sweep of what carries no grant', () => {
  it('is not started by the life of a grant, though the caches tell it in another order', async () => {
    const setting = await new Setting().started()
    const { grants, grantBindings } = setting.caches
    setting.storedGrants = [grant('Active')]
    grantBindings.put(binding()) // before its grant
    await setting.clock.advance(500)
    grants.put(grant('Active'))
    await setting.clock.advance(60_000)
    grants.put(grant('Expired'))
    await setting.clock.advance(500)
    grantBindings.remove(binding()) // after the end
    await setting.clock.advance(60_000)
    expect(setting.sweeps).to.equal(1)
  })

  it('is not started by the lives of many, though at every instant there is one between two caches', async () => {
    const setting = await new Setting().started()
    const { grants, grantBindings } = setting.caches
    for (let n = 1; n <= 50; n++) {
      const name = `lapse-u-${n}`
      const own = { metadata: { ...binding().metadata, name, labels: { ...labels, 'lapse.dev/grant-uid': `u-${n}` } } }
      grantBindings.put(own)
      await setting.clock.advance(100)
      grants.put(grant('Active', n))
      grantBindings.remove(own)
    }
    expect(setting.sweeps).to.equal(1)
  })

  it('removes within a second, all at once, the bindings that appear when their grants are over', async () => {
    const setting = await new Setting().started()
    const { grants, grantBindings } = setting.caches
    setting.storedGrants = [grant('Expired')]
    grants.put(grant('Expired'))
    const late = ['lapse-u-1', 'lapse-u-1-b', 'lapse-u-1-c'].map((name) => ({
      metadata: { ...binding().metadata, name },
    }))
    setting.stored = late
    for (const one of late) grantBindings.put(one)
    await setting.clock.advance(1_000)
    expect(setting.deletes).to.have.members(late.map(({ metadata }) => `delete rolebindings ${metadata.name}`))
    expect(setting.sweeps).to.equal(2)
  })

  it('removes one that appears just before the end of its grant is told', async () => {
    const setting = await new Setting().started()
    setting.caches.grants.put(grant('Active'))
    setting.stored = [binding()]
    setting.caches.grantBindings.put(binding())
    setting.storedGrants = [grant('Expired')]
    setting.caches.grants.put(grant('Expired'))
    await setting.clock.advance(1_000)
    expect(setting.deletes).to.deep.equal(['delete rolebindings lapse-u-1'])
  })

  it('leaves one whose grant the API server knows to be under way, whatever the cache says', async () => {
    const setting = await new Setting().started()
    setting.storedGrants = [grant('Active')]
    setting.stored = [binding()]
    setting.caches.grantBindings.put(binding())
    await setting.clock.advance(5_000)
    expect([setting.sweeps, setting.deletes]).to.deep.equal([2, []])
  })
})
