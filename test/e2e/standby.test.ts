import { expect } from 'chai'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { KubeObject } from '../support/admin-api.ts'
import { type AuditEvent, isWrite } from '../support/audit-log.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { ControllersFixture, operator, type RunningControllers } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { installChart } from '../support/installation.ts'
import { startPod, type Pod } from '../support/pod.ts'
import { overlaps, reigns } from '../support/reigns.ts'
import { conditionOf, getOrNull, Scene } from '../support/scene.ts'

const namespace = 'lapse-system'
const admission = '/apis/admissionregistration.k8s.io/v1'
/** Shorter than the chart's, so that the test need not wait as long. */
const leaseTimes = { LAPSE_LEASE_DURATION: '6s', LAPSE_RENEW_DEADLINE: '5s', LAPSE_RETRY_PERIOD: '1s' }

describe('two controllers of one installation', () => {
  let controlPlane: ControlPlane
  let scene: Scene
  let first: Pod
  let second: Pod

  before(async function () {
    this.timeout(180_000)
    controlPlane = await startControlPlane()
    await installChart(controlPlane)
    await controlPlane.admin.delete(`${admission}/validatingwebhookconfigurations/lapse`)
    await controlPlane.admin.delete(`${admission}/mutatingwebhookconfigurations/lapse`)
    scene = await Scene.set(controlPlane)
    first = await startController()
    await scene.policyIs('True')
    second = await startController()
  })
  after(async () => {
    await Promise.all([first?.kill(), second?.kill()])
    await controlPlane?.stop()
  })

  async function startController(): Promise<Pod> {
    const http = await freePort()
    const pod = await startPod({
      controlPlane,
      namespace,
      deployment: 'lapse-controller',
      extraEnv: { LAPSE_HTTP_ADDRESS: `127.0.0.1:${http}`, ...leaseTimes },
      localPorts: { 8080: http },
    })
    await pod.ready()
    return pod
  }

  async function holder(): Promise<string | undefined> {
    const lease = await getOrNull(
      controlPlane.admin,
      `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/lapse-controller`,
    )
    return lease?.['spec'].holderIdentity as string | undefined
  }

  async function stateOf(name: string): Promise<string | undefined> {
    return (await scene.grant(name))['status']?.state as string | undefined
  }

  function grantIs(name: string, state: string): Promise<true> {
    return eventually(
      `grant ${name} is ${state}`,
      async () => ((await stateOf(name)) === state ? true : undefined),
      30_000,
    )
  }

  it('are both ready, and one of them leads', async () => {
    expect(await holder()).to.equal(first.name)
    expect(await Promise.all([first, second].map(leadsByItsOwnMetrics))).to.deep.equal([true, false])
  })

  it('go on when the leader stops in the midst of its work, and it does nothing more when it comes to itself', async () => {
    await scene.ask('ends-meanwhile', { duration: '6s' })
    await grantIs('ends-meanwhile', 'Active')
    first.pause()
    await grantIs('ends-meanwhile', 'Expired')
    expect(await holder()).to.equal(second.name)
    await scene.ask('asked-meanwhile')
    await grantIs('asked-meanwhile', 'Active')
    first.resume()
    expect(await first.exited).to.deep.equal({ code: 5, signal: null })
    expect(first.logs()).to.contain('"message":"lease lost"')
    expect(await holder()).to.equal(second.name)
  }).timeout(90_000)

  it('hand over at once when the leader is told to end, which ends with 0', async () => {
    const gone = first
    first = await startController()
    await eventually('it has looked at the lease and found it held', async () => {
      const looks = await controlPlane.auditEvents(
        (event) => event.verb === 'get' && event.objectRef?.resource === 'leases' && instanceOf(event) === first.name,
      )
      return looks.length > 1 || undefined
    })
    const ended = second.stop()
    await scene.ask('during-the-hand-over')
    await grantIs('during-the-hand-over', 'Active')
    expect(await ended).to.deep.equal({ code: 0, signal: null })
    expect(await holder()).to.equal(first.name)
    const order = [gone.name, second.name, first.name]
    const writes = await controlPlane.auditEvents(isOfLeader)
    expect(reigns(writes, instanceOf)).to.deep.equal(order)
    expect(overlaps(writes, instanceOf)).to.deep.equal([])
  }).timeout(90_000)

  it('end with 0 when told so while they wait for an API server that says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    const asked = once(silent, 'connection')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    try {
      const pod = await startPod({
        controlPlane,
        namespace,
        deployment: 'lapse-controller',
        extraEnv: {
          LAPSE_HTTP_ADDRESS: `127.0.0.1:${await freePort()}`,
          KUBERNETES_SERVICE_HOST: '127.0.0.1',
          KUBERNETES_SERVICE_PORT: String(port),
        },
      })
      await asked
      expect(await pod.stop(), pod.logs()).to.deep.equal({ code: 0, signal: null })
    } finally {
      silent.close()
    }
  })
})

function isAtLimit(grant: KubeObject): boolean {
  const message: unknown = conditionOf(grant, 'Ready')?.['message']
  return typeof message === 'string' && message.includes('already has 1 of at most 1 grants')
}

describe('controllers that take over while their watch of grants is far behind', function () {
  this.timeout(90_000)

  let fixture: ControllersFixture
  let standby: RunningControllers | undefined
  before(async function () {
    this.timeout(120_000)
    fixture = await ControllersFixture.start()
  })
  // Two that lead at once, one of them far behind, are not what the next test is about.
  afterEach(() => standby?.stop())
  after(() => fixture?.stop())

  /** Leads until `handOver`; then the other does, which has heard of no change of a grant since it was started. */
  async function startBoth(): Promise<{
    readonly startStandby: () => Promise<void>
    readonly handOver: () => Promise<void>
  }> {
    const leader = await fixture.run()
    const elected = Promise.withResolvers<void>()
    return {
      startStandby: async () => {
        standby = await fixture.run({ elected: elected.promise, lag: { nhigrants: 60_000, rolebindings: 60_000 } })
      },
      handOver: async () => {
        await leader.stop()
        elected.resolve()
      },
    }
  }

  it('end on time what the leader before them has issued', async () => {
    const { startStandby, handOver } = await startBoth()
    const scene = await Scene.set(fixture.controlPlane)
    await scene.policyIs('True')
    await startStandby()
    await scene.ask('g', { duration: '5s' })
    await scene.reaches('g', 'Active')
    await handOver()
    const { status } = await scene.ends('g', 'Expired', 20_000)
    expect(Date.parse(status.revocation.verifiedAt) - Date.parse(status.notAfter)).to.be.below(8_000)
    expect(await scene.allows()).to.equal(false)
  })

  it('count what the leader before them has issued', async () => {
    const { startStandby, handOver } = await startBoth()
    const grants = { maxDuration: '1h', maxActivePerSubject: 1, requesters: [{ kind: 'Self' }] }
    const scene = await Scene.set(fixture.controlPlane, { grants })
    await scene.policyIs('True')
    const notBefore = new Date(Date.now() + 8_000).toISOString().replace(/\.\d+/, '')
    await scene.ask('later', { notBefore })
    await scene.waitsFor('later', 'NotYet')
    await startStandby()
    await scene.ask('first')
    await scene.reaches('first', 'Active')
    await handOver()
    await scene.whenGrant('later', 'is refused for the limit', isAtLimit, 20_000)
    expect((await scene.grant('later'))['status']).not.to.have.property('issuedAt')
    expect(await scene.roleBindings()).to.have.length(1)
  })
})

async function leadsByItsOwnMetrics(pod: Pod): Promise<boolean> {
  const metrics = await (await fetch(`http://127.0.0.1:${pod.localPort('http')}/metrics`)).text()
  return metrics.includes('leader_election_master_status{name="lapse-controller"} 1')
}

/** What only the holder of the lease may do: reviews only ask, and the lease itself is written by whoever may take it. */
function isOfLeader(event: AuditEvent): boolean {
  const resource = event.objectRef?.resource ?? ''
  return isWrite(event) && event.user.username === operator && !['leases', 'subjectaccessreviews'].includes(resource)
}

/** The pod that sent it. */
function instanceOf({ userAgent = '' }: AuditEvent): string {
  return /\((.*)\)/.exec(userAgent)?.[1] ?? userAgent
}
