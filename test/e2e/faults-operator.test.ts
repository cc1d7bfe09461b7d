import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'chai'

import { loadConnection } from '../../src/cluster/connection.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import { resources } from '../../src/cluster/resources.ts'
import { Transport } from '../../src/cluster/transport.ts'
import type { Instant } from '../../src/core/time.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import type { KubeObject } from '../support/admin-api.ts'
import { ControllersFixture, type RunningControllers } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { mostWatchesInASecond } from '../support/fault-scene.ts'
import { Scene } from '../support/scene.ts'
import { mostInASecond } from '../support/seen-request.ts'

/** One answer of the API server to whether the subject of a grant may do what the grant lets it. */
interface Sample {
  readonly asked: Instant
  readonly answered: Instant
  readonly allowed: boolean
}

/** A grant's life as it was seen from outside. */
interface Life {
  readonly scene: Scene
  readonly notAfter: Instant
  /** Until a second after the end. */
  readonly samples: readonly Sample[]
}

async function sample(scene: Scene): Promise<Sample> {
  const asked = Date.now()
  const allowed = await scene.allows()
  return { asked, allowed, answered: Date.now() }
}

const hasEnd = (grant: KubeObject): boolean => grant['status']?.notAfter !== undefined

/** Asks again and again whether the grant has effect: until it has none a second after its end. */
async function observe(scene: Scene): Promise<Life> {
  const { status } = await scene.whenGrant('g', 'has an end', hasEnd, 30_000)
  const notAfter = Date.parse(status.notAfter as string)
  const samples: Sample[] = []
  const isOver = ({ allowed, asked }: Sample): boolean => !allowed && asked > notAfter + 1_000
  while (Date.now() < notAfter + 20_000 && !samples.some(isOver)) {
    samples.push(await sample(scene))
    await delay(50)
  }
  return { scene, notAfter, samples }
}

describe('the operator while every connection is reset each 100 ms', function () {
  this.timeout(180_000)

  // Its own: controllers see to every grant of a control plane.
  let fixture: ControllersFixture
  let proxy: FaultProxy
  let controllers: RunningControllers
  let activeBefore: readonly Life[]
  let askedDuring: readonly Life[]
  /** Past the proxy. */
  let witness: Transport
  let bindings: Reflector
  /** The namespace of each RoleBinding that was created. */
  const issued: string[] = []

  before(async () => {
    fixture = await ControllersFixture.start()
    proxy = await FaultProxy.start(fixture.controlPlane)
    controllers = await fixture.run({ through: proxy })
    const first = await Scene.set(fixture.controlPlane)
    await first.policyIs('True')
    const others = Array.from({ length: 5 }, () => first.elsewhere(fixture.controlPlane))
    const scenes = [first, ...(await Promise.all(others))]
    await watchBindings()
    for (const scene of scenes.slice(0, 3)) await scene.ask('g', { duration: '12s' })
    for (const scene of scenes.slice(0, 3)) await scene.reaches('g', 'Active')
    for (const scene of scenes.slice(0, 3)) await scene.whenAllowed()
    const quiet = proxy.link.resetEvery(100)
    for (const scene of scenes.slice(3)) await scene.ask('g', { duration: '10s' })
    const resets = delay(15_000).then(quiet)
    ;[activeBefore, askedDuring] = await Promise.all([
      Promise.all(scenes.slice(0, 3).map(observe)),
      Promise.all(scenes.slice(3).map(observe)),
    ])
    await resets
  })
  after(async () => {
    await bindings?.stop()
    await witness?.close()
    await controllers?.stop()
    await proxy?.close()
    await fixture?.stop()
  })

  const lives = (): readonly Life[] => [...activeBefore, ...askedDuring]

  async function watchBindings(): Promise<void> {
    const clock = systemClock
    const connection = await loadConnection({ kubeconfig: fixture.controlPlane.kubeconfigPath, clock })
    const random = Math.random
    witness = new Transport({ connection, clock, random })
    bindings = new Reflector({ type: resources.roleBindings, transport: witness, clock, random, log: silentLog })
    bindings.subscribe(({ key, before }) => before === null && issued.push(key.namespace))
    bindings.start()
    await bindings.whenSynced()
  }

  it('did have its connections reset', () => {
    expect(proxy.link.resets, 'resets').to.be.above(60)
  })

  it('ends no grant early', () => {
    for (const { samples } of activeBefore) expect(samples[0]?.allowed).to.equal(true)
    for (const { scene, notAfter, samples } of lives()) {
      const sinceFirstYes = samples.slice(samples.findIndex(({ allowed }) => allowed))
      const early = sinceFirstYes.filter(({ allowed, answered }) => !allowed && answered < notAfter)
      expect(early, scene.namespace).to.deep.equal([])
    }
  })

  it('ends every grant soon after its time, for good', () => {
    for (const { notAfter, samples } of lives()) {
      const lastYes = samples.findLast(({ allowed }) => allowed)?.asked ?? notAfter
      expect(lastYes - notAfter, 'ms beyond the end').to.be.below(10_000)
      expect(samples.at(-1)?.allowed).to.equal(false)
    }
  })

  it('leaves nothing behind, and has the proof', async () => {
    for (const { scene, notAfter } of lives()) {
      const { status } = await scene.ends('g', 'Expired', 20_000)
      expect(Date.parse(status.notAfter as string), 'the end did not move').to.equal(notAfter)
      expect(status.endedAt).to.equal(status.notAfter)
      expect(status.revocation).not.to.have.property('residual')
      expect(await scene.roleBindings()).to.deep.equal([])
    }
  })

  it('issues no grant twice', () => {
    const wasAllowed = lives().filter(({ samples }) => samples.some(({ allowed }) => allowed))
    expect(issued).to.include.members(wasAllowed.map(({ scene }) => scene.namespace))
    const ours = issued.filter((namespace) => lives().some(({ scene }) => scene.namespace === namespace))
    expect(ours).to.deep.equal([...new Set(ours)])
  })

  it('asks no more than its back-off allows, lists nothing twice, and leaves no connection', async () => {
    for (const plural of ['accesspolicies', 'accesspolicyrevisions', 'nhigrants', 'namespaces', 'serviceaccounts']) {
      const own = proxy.requests.filter(({ path }) => path.endsWith(`/${plural}`))
      const watches = own.filter(({ verb }) => verb === 'watch')
      expect(
        own.filter(({ verb }) => verb === 'list'),
        `lists of ${plural}`,
      ).to.have.length(1)
      expect(mostInASecond(watches), `watches of ${plural}`).to.be.within(1, mostWatchesInASecond)
    }
    await controllers.stop()
    await eventually('no connection is left', async () => proxy.link.openSockets === 0 || undefined)
  })
})
