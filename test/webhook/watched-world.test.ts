import { expect } from 'chai'
import type { Cache, Change } from '../../src/cluster/ports.ts'
import { WatchedWorld } from '../../src/webhook/watched-world.ts'
import type { Saying } from '../../src/webhook/said-of-grants.ts'
import { worldKinds } from '../../src/world/world-index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { account, namespace } from './objects.ts'
import type { RawObject } from './requests.ts'

/** A cache that a test fills by hand. */
class HandCache<T> implements Cache<T> {
  hasSynced = false
  readonly #handlers: ((change: Change<T>) => void)[] = []

  get(): null {
    return null
  }
  list(): readonly T[] {
    return []
  }
  subscribe(handler: (change: Change<T>) => void): void {
    this.#handlers.push(handler)
  }
  push(change: Change<T>): void {
    for (const handler of this.#handlers) handler(change)
  }
}

class ObjectCache extends HandCache<object> {
  tell(before: RawObject | null, after: RawObject | null): void {
    const { namespace: space = '', name = '' } = (after ?? before)?.metadata ?? {}
    this.push({ key: { namespace: space as string, name: name as string }, before, after })
  }
}

function watched() {
  const clock = new FakeClock()
  const world = new WatchedWorld(clock)
  const caches = new Map(worldKinds.map((kind) => [kind, new ObjectCache()] as const))
  for (const [kind, cache] of caches) world.follow(kind, cache)
  const approvals = new HandCache<Saying | null>()
  world.followApprovals(approvals)
  const api = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' } as const
  return { clock, world, caches, approvals, api, accounts: caches.get('ServiceAccount')! }
}

const settled = async (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => void setImmediate(() => resolve(false)))])

describe('WatchedWorld', () => {
  it('knows what its caches tell and forgets what is gone', () => {
    const { world, accounts } = watched()
    accounts.tell(null, account('payments/api', { a: 'b' }))
    expect(world.world.serviceAccount('payments', 'api')?.labels).to.deep.equal({ a: 'b' })
    accounts.tell(account('payments/api'), null)
    expect(world.world.serviceAccount('payments', 'api')).to.equal(null)
  })

  it('is ready only when every kind has been taken in', () => {
    const { world, caches, approvals } = watched()
    for (const cache of [...caches.values(), approvals]) {
      expect(world.isReady()).to.equal(false)
      cache.hasSynced = true
    }
    expect(world.isReady()).to.equal(true)
  })

  it('is not ready without a cache for every kind', () => {
    const world = new WatchedWorld(new FakeClock())
    const cache = new ObjectCache()
    const approvals = new HandCache<Saying | null>()
    cache.hasSynced = approvals.hasSynced = true
    for (const kind of worldKinds.slice(1)) world.follow(kind, cache)
    world.followApprovals(approvals)
    expect(world.isReady()).to.equal(false)
    world.follow(worldKinds[0], cache)
    expect(world.isReady()).to.equal(true)
  })

  it('knows what was said of grants, beside the world', () => {
    const { world, approvals } = watched()
    const key = { namespace: 'payments', name: 'a' }
    approvals.push({ key, before: null, after: 'ana approves' })
    expect(world.said.nameOf('ana approves')).to.equal('a')
    approvals.push({ key, before: 'ana approves', after: null })
    expect(world.said.nameOf('ana approves')).to.equal(null)
  })

  it('wakes who waits for an object when it comes, with the object in its place', async () => {
    const { world, accounts, api, clock } = watched()
    const change = world.nextChange([api], 500).then(() => world.world.serviceAccount('payments', 'api'))
    accounts.tell(null, account('payments/api'))
    expect(await change).not.to.equal(null)
    expect(clock.pending).to.equal(0)
  })

  it('lets who waits sleep through changes of other objects and other kinds', async () => {
    const { world, accounts, caches, api } = watched()
    const change = world.nextChange([api], 500)
    accounts.tell(null, account('payments/other'))
    accounts.tell(null, account('shop/api'))
    caches.get('Namespace')!.tell(null, namespace('payments'))
    expect(await settled(change)).to.equal(false)
  })

  it('wakes who waits after its time', async () => {
    const { world, api, clock } = watched()
    const change = world.nextChange([api], 500)
    await clock.advance(499)
    expect(await settled(change)).to.equal(false)
    await clock.advance(1)
    expect(await settled(change)).to.equal(true)
  })
})
