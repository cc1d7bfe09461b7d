import { expect } from 'chai'

import { ServerError, Unreachable } from '../../src/cluster/errors.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { configMaps, FaultScene, mostWatchesInASecond } from '../support/fault-scene.ts'
import { mostInASecond } from '../support/seen-request.ts'

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error as Error,
  )
}

describe('a control plane that breaks', function () {
  this.timeout(120_000)

  // Its own: its parts are killed and paused.
  let controlPlane: ControlPlane
  before(async () => {
    controlPlane = await startControlPlane()
  })
  after(() => controlPlane?.stop())

  let scene: FaultScene
  beforeEach(async () => {
    scene = await FaultScene.set({ controlPlane })
    await scene.start()
  })
  afterEach(() => scene.end())

  const create = (name: string): Promise<unknown> =>
    scene.client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: scene.namespace, name },
    })

  it('loses its API server: writes fail as Unreachable, reads come from the cache, and its successor is found', async () => {
    await scene.churn.write(50)
    await controlPlane.part('kube-apiserver').kill()
    expect(await failureOf(create('unborn'))).to.be.instanceOf(Unreachable)
    const key = { namespace: scene.namespace, name: 'churned-0' }
    expect(await failureOf(scene.client.get(configMaps, key))).to.be.instanceOf(Unreachable)
    expect(scene.reflector.list()).not.to.deep.equal([])
    const began = performance.now()
    await controlPlane.part('kube-apiserver').restart()
    await scene.churn.replaceAll()
    await scene.caughtUp()
    const lasted = performance.now() - began
    expect(scene.faults('last')).to.deep.equal([])
    expect(scene.reflector.get({ namespace: scene.namespace, name: 'unborn' })).to.equal(null)
    await create('born')
    expect(mostInASecond(scene.requests('watch'))).to.be.within(1, mostWatchesInASecond)
    // one at the start, one for a past that the new process does not know, and what it cannot answer while it starts:
    // between these lie at least half of 100 ms, of 200 ms, of 400 ms and so on
    const most = 2 + Math.ceil(Math.log2(1 + lasted / 50))
    expect(scene.requests('list').length, `lists in ${lasted} ms`).to.be.within(1, most)
  })

  it('has its etcd paused for 30 s: writes fail with a type, the cache answers, and then nothing is missing', async () => {
    const etcd = controlPlane.part('etcd')
    await scene.churn.write(50)
    await scene.caughtUp()
    const cached = scene.reflector.list()
    const failures: Error[] = []
    const end = AbortSignal.timeout(30_000)
    etcd.pause()
    try {
      while (!end.aborted) {
        failures.push(await failureOf(create(`paused-${failures.length}`)))
        expect(scene.reflector.list()).to.deep.equal(cached)
      }
    } finally {
      etcd.resume()
    }
    for (const failure of failures) expect([Unreachable, ServerError]).to.include(failure.constructor)
    const path = `/api/v1/namespaces/${scene.namespace}/configmaps`
    await eventually('the API server writes again', () =>
      controlPlane.admin.create(path, { metadata: { generateName: 'again-' } }),
    )
    await create('resumed')
    await scene.churn.replaceAll()
    await scene.caughtUp()
    expect(scene.faults('last')).to.deep.equal([])
    expect(scene.reflector.get({ namespace: scene.namespace, name: 'resumed' })).not.to.equal(null)
    expect(scene.requests('write').length, 'writes, each sent once').to.equal(failures.length + 1)
  })
})
