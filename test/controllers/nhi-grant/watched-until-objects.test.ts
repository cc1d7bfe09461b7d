import { expect } from 'chai'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import type { ObjectReference, ObjectWatcher, Sight, WatchedObject } from '../../../src/cluster/ports.ts'
import { WatchedUntilObjects } from '../../../src/controllers/nhi-grant/watched-until-objects.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'
import { HandCache } from '../../support/hand-cache.ts'

const job = (name: string) => ({ apiVersion: 'batch/v1', kind: 'Job', name, condition: null })

function grant(name: string, until: object | undefined, state = 'Pending'): NHIGrant {
  return nhiGrant((wire) => {
    wire.metadata = { namespace: 'payments', name, uid: name, resourceVersion: '1' }
    wire.spec = { ...wire.spec, until }
    wire.status = { state }
  }) as NHIGrant
}
const byJob = (name: string, object = 'migrate', state = 'Pending'): NHIGrant =>
  grant(name, { kind: 'Job', name: object }, state)

/** Sees what a test lets it. */
class HandWatcher implements ObjectWatcher {
  readonly running = new Map<string, { sight: Sight; readonly changed: () => void }>()
  started = 0

  watch({ apiVersion, kind, namespace, name }: ObjectReference, changed: () => void): WatchedObject {
    const id = `${apiVersion} ${kind} ${namespace}/${name}`
    const watched = { sight: { kind: 'Unread' } as Sight, changed }
    expect(this.running.has(id), `${id} is watched already`).to.equal(false)
    this.running.set(id, watched)
    this.started++
    return {
      get sight() {
        return watched.sight
      },
      stop: async () => void this.running.delete(id),
    }
  }

  see(id: string, sight: Sight): void {
    const watched = this.running.get(id)!
    watched.sight = sight
    watched.changed()
  }
}

describe('WatchedUntilObjects', () => {
  const migrate = 'batch/v1 Job payments/migrate'
  let watcher: HandWatcher
  let grants: HandCache<NHIGrant>
  let enqueued: string[]
  let objects: WatchedUntilObjects

  function follow(most?: number): void {
    objects = new WatchedUntilObjects(watcher, most)
    objects.follow(grants, ({ namespace, name }) => enqueued.push(`${namespace}/${name}`))
  }
  beforeEach(() => {
    watcher = new HandWatcher()
    grants = new HandCache()
    enqueued = []
  })

  it('watches once what several grants name, until the last of them has ended', () => {
    grants.put(byJob('a'))
    follow()
    grants.put(byJob('b', 'migrate', 'Active'))
    expect([...watcher.running.keys()]).to.deep.equal([migrate])
    grants.put(byJob('a', 'migrate', 'Completed'))
    expect(watcher.running.size).to.equal(1)
    grants.remove(byJob('b', 'migrate', 'Active'))
    expect(watcher.running.size).to.equal(0)
    expect(watcher.started).to.equal(1)
  })

  it('watches nothing for grants that have ended or that only time ends', () => {
    grants.put(byJob('a', 'migrate', 'Denied'))
    grants.put(grant('b', undefined, 'Active'))
    follow()
    expect(watcher.started).to.equal(0)
    expect(objects.factsOf('payments', null)).to.deep.equal({ kind: 'None' })
  })

  it('goes on watching while the status of a grant changes', () => {
    follow()
    grants.put(byJob('a'))
    grants.put(byJob('a', 'migrate', 'AwaitingApproval'))
    grants.put(byJob('a', 'migrate', 'Active'))
    expect(watcher.started).to.equal(1)
    expect(watcher.running.size).to.equal(1)
  })

  it('tells a change of the object to the grants that name it, and to no other', () => {
    follow()
    for (const each of [byJob('a'), byJob('b'), byJob('c', 'other')]) grants.put(each)
    grants.put(byJob('b', 'migrate', 'Revoked'))
    watcher.see(migrate, { kind: 'Absent' })
    expect(enqueued).to.deep.equal(['payments/a'])
  })

  it('says what it has seen', () => {
    follow()
    const facts = () => objects.factsOf('payments', job('migrate'))
    expect(facts()).to.deep.equal({ kind: 'Unread' })
    grants.put(byJob('a'))
    expect(facts()).to.deep.equal({ kind: 'Unread' })
    watcher.see(migrate, { kind: 'Absent' })
    expect(facts()).to.deep.equal({ kind: 'Absent' })
    const metadata = { namespace: 'payments', name: 'migrate', uid: 'job-1', resourceVersion: '1' }
    watcher.see(migrate, { kind: 'Present', object: { metadata } })
    expect(facts()).to.deep.equal({ kind: 'Running', uid: 'job-1' })
    watcher.see(migrate, { kind: 'Unreadable', message: 'not you' })
    expect(facts()).to.deep.equal({ kind: 'Unknown', message: 'not you' })
    expect(objects.factsOf('elsewhere', job('migrate'))).to.deep.equal({ kind: 'Unread' })
  })

  it('tells apart objects of one name by version and kind', () => {
    follow()
    grants.put(grant('a', { kind: 'Pod', name: 'migrate' }))
    grants.put(grant('b', { apiVersion: 'v1', kind: 'ConfigMap', name: 'migrate', expression: 'true' }))
    expect([...watcher.running.keys()]).to.deep.equal(['v1 Pod payments/migrate', 'v1 ConfigMap payments/migrate'])
  })

  it('watches no more than it may, says so of the rest, and takes the next when one ends', () => {
    follow(2)
    for (const name of ['a', 'b', 'c', 'd']) grants.put(byJob(name, name))
    expect(watcher.running.size).to.equal(2)
    expect(objects.watchedCount).to.equal(2)
    const tooMany = { kind: 'Unknown', message: 'the operator watches 2 such objects already' }
    expect(objects.factsOf('payments', job('c'))).to.deep.equal(tooMany)
    grants.remove(byJob('d', 'd'))
    expect(watcher.running.size).to.equal(2)
    grants.put(byJob('b', 'b', 'Expired'))
    expect([...watcher.running.keys()]).to.deep.equal(['batch/v1 Job payments/a', 'batch/v1 Job payments/c'])
    watcher.see('batch/v1 Job payments/c', { kind: 'Absent' })
    expect(enqueued).to.deep.equal(['payments/c'])
  })

  it('watches nothing any more once it is stopped', async () => {
    follow()
    grants.put(byJob('a'))
    await objects.stop()
    expect(objects.watchedCount).to.equal(0)
    grants.put(byJob('b', 'other'))
    expect(watcher.running.size).to.equal(0)
    expect(watcher.started).to.equal(1)
  })

  it('is not disturbed by a spec that cannot be read', () => {
    follow()
    for (const spec of [null, { until: {} }, { until: { kind: 'Job' } }, { until: null }])
      grants.put({ ...byJob('a'), spec } as unknown as NHIGrant)
    expect(watcher.started).to.equal(0)
  })
})
