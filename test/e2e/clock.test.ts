import { expect } from 'chai'
import { join } from 'node:path'
import type { KubeObject } from '../support/admin-api.ts'
import {
  ControllersFixture,
  MovableClock,
  type RunningControllers,
  type RunOptions,
} from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { startPod, type Pod } from '../support/pod.ts'
import { conditionOf, Scene } from '../support/scene.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'

const second = 1_000
const minute = 60_000
const hour = 3_600_000
/** How far off the whole seconds of a Date are, and what the quickest of many answers takes at most here. */
const precision = 2 * second
/** What an end takes at most here: less than the ten seconds after which every clock is looked at anyway. */
const onTime = 5 * second

const inMillis = (time: number): string => new Date(Date.now() + time).toISOString()
const endOf = (grant: KubeObject): number => Date.parse(grant['status'].notAfter as string)

/** The wall clock of the operator's machine, and what goes by it. */
function clockOff(by: number): { readonly wall: MovableClock; readonly options: RunOptions } {
  const wall = new MovableClock()
  wall.move(by)
  return { wall, options: { clock: new TrustedClock(wall) } }
}

describe('a grant, when clocks are wrong', () => {
  // Its own: controllers see to every grant of a control plane.
  let fixture: ControllersFixture
  let controllers: RunningControllers
  let scene: Scene
  before(async function () {
    this.timeout(120_000)
    fixture = await ControllersFixture.start()
  })
  after(() => fixture?.stop())
  beforeEach(async () => {
    scene = await Scene.set(fixture.controlPlane)
  })
  afterEach(() => controllers?.stop())

  async function runWith(options: RunOptions): Promise<void> {
    controllers = await fixture.run(options)
    await scene.policyIs('True')
  }

  it('ends on time though the clock of the operator is set back by hours meanwhile', async () => {
    const { wall, options } = clockOff(0)
    await runWith(options)
    await scene.ask('g', { duration: '3s' })
    const notAfter = endOf(await scene.reaches('g', 'Active'))
    wall.move(-6 * hour)
    await scene.ends('g', 'Expired')
    expect(Date.now() - notAfter).to.be.within(0, onTime)
    expect(await scene.allows()).to.equal(false)
  })

  it('ends on time under a successor whose clock is hours behind', async () => {
    await runWith(clockOff(0).options)
    await scene.ask('g', { duration: '4s' })
    const notAfter = endOf(await scene.reaches('g', 'Active'))
    await controllers.stop()
    controllers = await fixture.run(clockOff(-6 * hour).options)
    await scene.ends('g', 'Expired')
    expect(Date.now() - notAfter).to.be.within(0, onTime)
  })

  it('ends at once when the clock is set forward by hours, noticed when a grant is touched or within ten seconds', async () => {
    const { wall, options } = clockOff(0)
    await runWith(options)
    await scene.ask('g', { duration: '10m' })
    await scene.reaches('g', 'Active')
    wall.move(6 * hour)
    const path = `/apis/lapse.dev/v1alpha1/namespaces/${scene.namespace}/nhigrants/g`
    await fixture.controlPlane.admin.patch(path, { metadata: { labels: { touched: 'yes' } } })
    await scene.ends('g', 'Expired', 10 * second)
    expect(await scene.allows()).to.equal(false)
  })

  it('lasts no longer than it says when it was issued by a clock that ran ahead, and says so', async () => {
    await runWith(clockOff(20 * minute).options)
    const asked = Date.now()
    await scene.ask('g', { duration: '1h' })
    const grant = await scene.reaches('g', 'Active')
    expect(endOf(grant)).to.be.within(asked + hour - second, Date.now() + hour + precision)
    const { status, message } = conditionOf(grant, 'ClockDisagreement')!
    expect(status).to.equal('True')
    expect(message).to.match(/^when it was issued, clocks differed by (20m|19m5\ds): it is so much shorter$/)
  })

  it('is shorter when it was issued by a clock that was behind', async () => {
    await runWith(clockOff(-20 * minute).options)
    const asked = Date.now()
    await scene.ask('g', { duration: '1h' })
    const grant = await scene.reaches('g', 'Active')
    expect(endOf(grant)).to.be.within(asked + 40 * minute, Date.now() + 40 * minute)
    expect(conditionOf(grant, 'ClockDisagreement')).to.have.property('status', 'True')
  })

  it('is refused when nothing is left between the clocks of what it asks for', async () => {
    await runWith(clockOff(20 * minute).options)
    await scene.ask('g', { duration: '10m' })
    const grant = await scene.reaches('g', 'Denied')
    expect(conditionOf(grant, 'Ready')!['message']).to.contain('[window-passed]')
  })

  it('does not begin before its time by a clock that runs ahead', async () => {
    const { wall, options } = clockOff(20 * minute)
    await runWith(options)
    await scene.ask('g', { notBefore: inMillis(10 * minute), notAfter: inMillis(40 * minute) })
    await scene.waitsFor('g', 'NotYet')
    expect(await scene.allows()).to.equal(false)
    wall.move(-20 * minute)
    expect((await scene.grant('g'))['status'].state).to.equal('Pending')
  })

  it('says nothing of clocks when they agree', async () => {
    await runWith(clockOff(0).options)
    await scene.ask('g')
    expect(conditionOf(await scene.reaches('g', 'Active'), 'ClockDisagreement')).to.equal(undefined)
  })

  describe('under the operator as a process, on a machine whose clock is ahead', () => {
    const namespace = 'lapse-system'
    let pod: Pod
    before(async function () {
      this.timeout(120_000)
      const http = await freePort()
      const shifted = join(import.meta.dirname, '../support/shifted-clock.ts')
      pod = await startPod({
        controlPlane: fixture.controlPlane,
        namespace,
        deployment: 'lapse-controller',
        extraEnv: {
          LAPSE_HTTP_ADDRESS: `127.0.0.1:${http}`,
          NODE_OPTIONS: `--import ${shifted}`,
          SHIFTED_CLOCK_BY: String(20 * minute),
        },
        localPorts: { 8080: http },
      })
      await pod.ready()
    })
    after(() => pod?.kill())

    it('lasts no longer than it says', async () => {
      await scene.policyIs('True')
      const asked = Date.now()
      await scene.ask('g', { duration: '1h' })
      const grant = await scene.reaches('g', 'Active')
      expect(endOf(grant)).to.be.within(asked + hour - second, Date.now() + hour + precision)
    })

    it('is told of by a metric, a line in the log, and an event of the Lease', async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${pod.localPort('http')}/metrics`)).text()
      const differ = Number(/^lapse_clock_disagreement_seconds (\S+)$/m.exec(metrics)?.[1])
      expect(differ).to.be.within(20 * 60 - 2, 20 * 60)
      await eventually('it is in the log', async () => pod.logs().includes('"message":"clocks disagree"') || undefined)
      const event = await eventually('there is an event about the clocks', async () => {
        const events = await fixture.controlPlane.admin.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)
        return events.find((each) => each['reason'] === 'ClockDisagreement')
      })
      expect(event['regarding']).to.include({ kind: 'Lease', namespace, name: 'lapse-controller' })
      expect(event['note']).to.match(/^the clocks that the operator goes by differ by (20m|19m5\ds): /)
    })
  })
})
