import { expect } from 'chai'

import { systemClock, type Clock } from '../../src/runtime/clock.ts'
import { FastClock } from '../support/fast-clock.ts'
import { FaultScene, mostWatchesInASecond } from '../support/fault-scene.ts'
import { eventually } from '../support/eventually.ts'
import { mostInASecond, onlyFirst, type SeenRequest } from '../support/seen-request.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const isWatch = ({ verb }: SeenRequest): boolean => verb === 'watch'

describe('a watch through a network that misbehaves', () => {
  let scene: FaultScene
  afterEach(() => scene.end())

  async function setScene(clock: Clock = systemClock): Promise<void> {
    scene = await FaultScene.set({ controlPlane: controlPlane(), clock })
  }

  it('that stalls without an end is given up for dead, and goes on where it was heard last', async () => {
    const clock = new FastClock(1)
    await setScene(clock)
    await scene.start()
    scene.proxy.link.stall()
    const told = scene.ledger.changes
    await scene.churn.write(100)
    expect(scene.restarts, 'before the watchdog').to.equal(0)
    clock.factor = 60
    await eventually('the watchdog barks', async () => scene.restarts > 0 || undefined)
    clock.factor = 1
    expect(scene.ledger.changes, 'told while nothing came through').to.equal(told)
    await scene.proxy.link.goOn()
    await scene.caughtUp()
    expect(scene.faults('every')).to.deep.equal([])
    expect(scene.requests('list')).to.have.length(1)
  })

  it('that comes byte by byte, and so in cut characters, loses and alters nothing', async () => {
    await setScene()
    scene.proxy.treat(({ verb }) => verb === 'list' || verb === 'watch', { kind: 'drip' })
    await scene.start()
    await scene.churn.write(100)
    await scene.caughtUp()
    expect(scene.faults('every')).to.deep.equal([])
    expect(scene.restarts).to.equal(0)
    expect([scene.requests('list').length, scene.requests('watch').length]).to.deep.equal([1, 1])
  })

  for (const ending of ['end', 'reset'] as const) {
    it(`that breaks off inside a character, by ${ending}, goes on before it`, async () => {
      await setScene()
      await scene.start()
      scene.proxy.treat(onlyFirst(3, isWatch), { kind: 'break-inside-character', ending })
      scene.proxy.link.reset()
      await scene.churn.write(100)
      await scene.caughtUp()
      expect(scene.restarts, 'the reset and the three that broke off').to.equal(4)
      expect(scene.faults('every')).to.deep.equal([])
      expect(scene.requests('list')).to.have.length(1)
      expect(mostInASecond(scene.requests('watch'))).to.be.within(1, mostWatchesInASecond)
    })
  }

  it('that is cut off while objects give way to others of their names tells of an end and a beginning', async () => {
    await setScene()
    await scene.start()
    scene.proxy.link.refuse()
    scene.proxy.link.reset()
    await scene.churn.replaceAll()
    await scene.proxy.link.goOn()
    await scene.caughtUp()
    expect(scene.faults('every')).to.deep.equal([])
    expect(scene.requests('list')).to.have.length(1)
  })

  for (const doing of ['lists', 'watches'] as const) {
    it(`ends at once with its reflector, also when it ${doing} and nobody answers to the connection`, async () => {
      await setScene()
      const { proxy, reflector, ledger } = scene
      if (doing === 'watches') await scene.start()
      const { connections } = proxy.link
      proxy.link.stall()
      proxy.link.reset()
      reflector.start()
      await eventually('a connection', async () => proxy.link.connections > connections || undefined)
      const told = ledger.changes
      const began = performance.now()
      await reflector.stop()
      const lasted = performance.now() - began
      await proxy.link.goOn()
      await scene.churn.write(10)
      expect(ledger.changes, 'told after the end').to.equal(told)
      expect(lasted, 'ms, of the 5,000 that a connection may take').to.be.below(4_000)
    })
  }
})
