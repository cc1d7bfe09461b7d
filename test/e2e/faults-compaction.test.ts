import { expect } from 'chai'

import { ApiError } from '../support/admin-api.ts'
import { gone } from '../support/change-ledger.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { FaultScene } from '../support/fault-scene.ts'
import { onlyFirst, type SeenRequest } from '../support/seen-request.ts'

const isPageTwo = ({ query }: SeenRequest): boolean => new URLSearchParams(query).has('continue')

/** Not all at once: each at the same time is a connection of its own. */
const atATime = 40

describe('a past that the API server has forgotten', () => {
  // Its own: it forgets within seconds, and serves ConfigMaps from etcd, not from a cache that remembers.
  let controlPlane: ControlPlane
  before(async () => {
    const flags = ['--etcd-compaction-interval=1s', '--watch-cache-sizes=configmaps#0']
    controlPlane = await startControlPlane({ flags: { 'kube-apiserver': flags } })
  })
  after(() => controlPlane?.stop())

  let scene: FaultScene
  beforeEach(async () => {
    scene = await FaultScene.set({ controlPlane })
  })
  afterEach(() => scene.end())

  /** Resolves when all that has happened up to now is compacted away. */
  async function compacted(): Promise<void> {
    const path = `/api/v1/namespaces/${scene.namespace}/configmaps`
    const version = (await controlPlane.admin.get(path)).metadata!.resourceVersion!
    await eventually('the compaction', () =>
      controlPlane.admin.get(`${path}?resourceVersion=${version}&resourceVersionMatch=Exact&limit=1`).then(
        () => undefined,
        (error: unknown) => (error instanceof ApiError && error.status === 410 ? true : undefined),
      ),
    )
  }

  it('is taken in by one list, when a watch comes back too late; what gave way meanwhile ended and began', async () => {
    await scene.start()
    const before = scene.ledger.fold()
    scene.proxy.link.refuse()
    scene.proxy.link.reset()
    await scene.churn.write(50)
    await scene.churn.replaceAll()
    await compacted()
    await scene.proxy.link.goOn()
    await scene.caughtUp()

    expect(scene.requests('list')).to.have.length(2)
    expect(scene.faults('last')).to.deep.equal([])
    const name = [...before.keys()].find((each) => scene.churn.history.has(each))!
    const last = scene.churn.history.get(name)!.at(-1)
    expect(scene.ledger.entriesOf(name)).to.deep.equal([before.get(name), gone, last])

    await scene.churn.write(50)
    await scene.caughtUp()
    expect(scene.faults('last')).to.deep.equal([])
    expect(scene.requests('list'), 'the watch goes on from the list').to.have.length(2)
  })

  it('on page two of a list makes it begin again, once, and nothing of the half that was read is told', async () => {
    const path = `/api/v1/namespaces/${scene.namespace}/configmaps`
    const names = Array.from({ length: 520 }, (_, n) => `crowd-${n}`)
    for (let from = 0; from < names.length; from += atATime) {
      const some = names.slice(from, from + atATime)
      await Promise.all(some.map((name) => controlPlane.admin.create(path, { metadata: { name } })))
    }
    const { promise: until, resolve: release } = Promise.withResolvers<void>()
    scene.proxy.treat(onlyFirst(1, isPageTwo), { kind: 'hold', until })
    scene.reflector.start()
    await eventually('the question for page two', async () => scene.requests('list').some(isPageTwo) || undefined)
    await scene.churn.replaceAll()
    await Promise.all(names.slice(0, 10).map((name) => controlPlane.admin.delete(`${path}/${name}`)))
    await compacted()
    expect(scene.reflector.hasSynced, 'with half a list').to.equal(false)
    release()
    await scene.caughtUp()

    const pages = scene.requests('list').map((request) => (isPageTwo(request) ? 'second' : 'first'))
    expect(pages).to.deep.equal(['first', 'second', 'first', 'second'])
    expect(scene.faults('last')).to.deep.equal([])
    expect(scene.ledger.changes).to.equal(scene.reflector.list().length)
    expect(scene.ledger.entriesOf('crowd-0'), 'deleted between the pages').to.deep.equal([])
  })
})
