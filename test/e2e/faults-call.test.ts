import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'chai'

import { ServerError, TooManyRequests, Unreachable } from '../../src/cluster/errors.ts'
import type { KubeObject } from '../../src/cluster/ports.ts'
import { manyBytes } from '../support/churn.ts'
import { FastClock } from '../support/fast-clock.ts'
import { configMaps, FaultScene } from '../support/fault-scene.ts'
import { mostInASecond, onlyFirst, type SeenRequest } from '../support/seen-request.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const isRead = ({ verb }: SeenRequest): boolean => verb === 'get' || verb === 'list'

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error as Error,
  )
}

describe('a call through a network that misbehaves', () => {
  let scene: FaultScene
  beforeEach(async () => {
    scene = await FaultScene.set({ controlPlane: controlPlane() })
  })
  afterEach(() => scene.end())

  const object = (name: string): object => {
    const metadata = { namespace: scene.namespace, name }
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text: manyBytes } }
  }

  const create = (name: string): Promise<KubeObject> => scene.client.create(configMaps, object(name))

  it('reads what comes byte by byte, and so in cut characters', async () => {
    scene.proxy.treat(() => true, { kind: 'drip' })
    const created = await create('bytes')
    expect(created['data']).to.deep.equal({ text: manyBytes })
    expect(await scene.client.get(configMaps, { namespace: scene.namespace, name: 'bytes' })).to.deep.equal(created)
    const listed = await scene.client.list(configMaps, { namespace: scene.namespace })
    expect(listed.find(({ metadata }) => metadata.name === 'bytes')).to.deep.equal(created)
  })

  for (const [ending, error] of [
    ['end', ServerError],
    ['reset', Unreachable],
  ] as const) {
    it(`reads again what broke off inside a character, by ${ending}, four times at most`, async () => {
      const key = { namespace: scene.namespace, name: 'broken' }
      const created = await create('broken')
      const heal = scene.proxy.treat(onlyFirst(8, isRead), { kind: 'break-inside-character', ending })
      expect(await failureOf(scene.client.get(configMaps, key))).to.be.instanceOf(error)
      expect(scene.requests('get')).to.have.length(5)
      expect(await scene.client.get(configMaps, key)).to.deep.equal(created)
      expect(scene.requests('get')).to.have.length(5 + 4)
      heal()
    })

    it(`does not repeat a write whose answer broke off inside a character, by ${ending}`, async () => {
      scene.proxy.treat(({ verb }) => verb === 'write', { kind: 'break-inside-character', ending })
      expect(await failureOf(create('once'))).to.be.instanceOf(error)
      expect(scene.requests('write')).to.have.length(1)
    })
  }

  it('comes back from a storm of 429 without having added to it', async () => {
    await scene.start()
    const calm = scene.proxy.treat(() => true, { kind: 'throttle', retryAfterSeconds: 1 })
    scene.proxy.link.reset()
    const began = scene.proxy.requests.length
    const ends = performance.now() + 5_000
    const storm = delay(5_000).then(calm)
    const names = Array.from({ length: 4 }, (_, n) => `reader-${n}`)
    const failures: Error[] = []
    const readers = names.map(async (name) => {
      while (performance.now() < ends)
        await scene.client
          .get(configMaps, { namespace: scene.namespace, name })
          .catch((error: Error) => failures.push(error))
    })
    const refused = (await failureOf(create('refused'))) as TooManyRequests
    expect(refused).to.be.instanceOf(TooManyRequests)
    expect(refused.retryAfter).to.equal(1_000)
    expect(scene.requests('write'), 'a write is not tried again').to.have.length(1)
    await scene.churn.write(50)
    await Promise.all([storm, ...readers])
    await scene.caughtUp()

    for (const failure of failures) expect(failure).to.be.instanceOf(TooManyRequests)
    expect(failures.length, 'at most one for each reader: a read lasts out four waits').to.be.within(0, 4)
    expect(scene.faults('every')).to.deep.equal([])
    expect(scene.requests('list')).to.have.length(1)
    // every wait is at least the second that was asked for
    const stormed = scene.proxy.requests.slice(began).filter(({ at }) => at < ends)
    const watches = stormed.filter(({ verb }) => verb === 'watch')
    expect(mostInASecond(watches), 'watches in a second').to.equal(1)
    expect(watches.length).to.be.within(3, 5)
    const reads = stormed.filter(({ verb }) => verb === 'get')
    expect(reads.length).to.be.within(3 * 4, 6 * 4)
  })

  it('ends at its deadline, not at that of the connection, when nothing comes through any more', async () => {
    await scene.end()
    scene = await FaultScene.set({ controlPlane: controlPlane(), clock: new FastClock(10) })
    const key = { namespace: scene.namespace, name: 'nobody' }
    scene.proxy.link.stall()
    const began = performance.now()
    const failures = await Promise.all([failureOf(scene.client.get(configMaps, key)), failureOf(create('unheard'))])
    const lasted = performance.now() - began
    await scene.proxy.link.goOn()
    for (const failure of failures) {
      expect(failure).to.be.instanceOf(Unreachable)
      expect(failure.message).to.contain('no answer within 10s')
    }
    expect(lasted, 'ms, at ten times the speed').to.be.below(4_000)
  })
})
