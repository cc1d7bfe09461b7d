import { expect } from 'chai'

import { loadConnection } from '../../src/cluster/connection.ts'
import { ServerError } from '../../src/cluster/errors.ts'
import { EventRecorder } from '../../src/cluster/events.ts'
import type { EventNote, EventSink } from '../../src/cluster/ports.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { systemClock, type Clock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { isWrite, type AuditEvent } from '../support/audit-log.ts'
import { ControllersFixture, operator, type RunningControllers } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { Interceptor } from '../support/intercepted-client.ts'
import { paths, rules, Scene } from '../support/scene.ts'

const eventsIn = (namespace: string): string => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`

/** Namespaces in which what a grant gave is given by something else too, or held by a finalizer. */
const lasting = new Set<string>()

/**
 * Asked right after a removal, the API server may allow for a moment yet what the binding gave, which is news of its own.
 * Here the operator hears its answer when it has noticed, but where the access lasts.
 */
const whenNoticed: Interceptor = ({ verb, namespace }, proceed) =>
  verb !== 'isAllowed' || lasting.has(namespace)
    ? proceed()
    : eventually('the authorizer notices', async () => ((await proceed()) === false ? false : undefined))

/** Issued, and revoked as soon as that is seen. */
async function comesAndGoes(
  scene: Scene,
  name: string,
  changed: Readonly<Record<string, unknown>> = {},
): Promise<KubeObject> {
  await scene.ask(name, changed)
  await scene.reaches(name, 'Active')
  await scene.revoke(name)
  return scene.ends(name, 'Revoked')
}

/** Recorders as the controller's process has them, and what they lost. */
class Recorders {
  dropped = 0

  readonly over = (transport: Transport, clock: Clock = systemClock): EventRecorder =>
    new EventRecorder({
      transport,
      clock,
      log: silentLog,
      random: Math.random,
      instance: 'controller-0',
      observer: { eventDropped: () => (this.dropped += 1) },
    })
}

describe('events', () => {
  // Its own: controllers see to every grant of a control plane.
  let fixture: ControllersFixture
  let admin: AdminApi
  before(async function () {
    this.timeout(120_000)
    fixture = await ControllersFixture.start()
    admin = fixture.controlPlane.admin
  })
  after(() => fixture?.stop())

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await fixture.controlPlane.kubectl(args)
    expect(code, stderr).to.equal(0)
    return stdout
  }

  /** Of one object, in the order of their names, which is that in which they were made. */
  async function eventsOf(namespace: string, name: string): Promise<readonly KubeObject[]> {
    const all = await admin.list(eventsIn(namespace))
    return all.filter((event) => event['regarding'].name === name)
  }

  /** Resolves when there are as many, with their reasons. */
  async function told(namespace: string, name: string, ...reasons: readonly string[]): Promise<readonly KubeObject[]> {
    const events = await eventually(`events of ${name}: ${reasons.join(', ')}`, async () => {
      const found = await eventsOf(namespace, name)
      return found.length >= reasons.length ? found : undefined
    })
    expect(events.map((event) => event['reason'])).to.deep.equal(reasons)
    return events
  }

  const writes = (resource: string, namespace: string): Promise<readonly AuditEvent[]> =>
    fixture.controlPlane.auditEvents(
      (event) =>
        isWrite(event) &&
        event.user.username === operator &&
        event.objectRef?.resource === resource &&
        event.objectRef.namespace === namespace,
    )

  /** All of them, when there are as many: what a write has done can be seen before it is in the log. */
  const written = (count: number, resource: string, namespace: string): Promise<readonly AuditEvent[]> =>
    eventually(`${count} writes of ${resource} in ${namespace}`, async () => {
      const found = await writes(resource, namespace)
      return found.length >= count ? found : undefined
    })

  /** Resolves when the authorizer of the API server has heard of it. */
  async function operatorMayWriteEvents(may: boolean): Promise<void> {
    const resourceAttributes = { namespace: 'default', verb: 'create', group: 'events.k8s.io', resource: 'events' }
    await eventually(`the operator may write events: ${may}`, async () => {
      const review = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        spec: { user: operator, resourceAttributes },
      })
      return (review['status'].allowed === true) === may || undefined
    })
  }

  async function readyScene(): Promise<Scene> {
    const scene = await Scene.set(fixture.controlPlane)
    await scene.policyIs('True')
    return scene
  }

  describe('of the controllers', () => {
    const recorders = new Recorders()
    let controllers: RunningControllers
    before(async () => {
      controllers = await fixture.run({ events: recorders.over, intercept: whenNoticed })
    })
    after(async () => {
      await controllers?.stop()
      expect(recorders.dropped).to.equal(0)
    })

    it('tell with kubectl the life of a grant: issued until when under which policy, expired how late', async () => {
      const scene = await readyScene()
      await scene.ask('g', { duration: '5s' })
      const { status } = await scene.ends('g', 'Expired')
      await told(scene.namespace, 'g', 'Issued', 'Expired')
      const issued = `until ${status.notAfter}, under policy ${scene.policy}@1.0.0`
      const expired = `${status.endedReason}; its access outlived that by ${status.revocation.overstay} at most`

      const described = await kubectl('describe', 'nhigrant', 'g', '-n', scene.namespace)
      const [, events = ''] = described.split('\nEvents:\n')
      const rows = events.trim().split('\n').slice(2)
      expect(rows.map((row) => row.trim().split(/\s{2,}/))).to.deep.equal([
        ['Normal', 'Issued', rows[0]!.trim().split(/\s{2,}/)[2], 'lapse.dev/controller', issued],
        ['Normal', 'Expired', rows[1]!.trim().split(/\s{2,}/)[2], 'lapse.dev/controller', expired],
      ])
      const listed = await kubectl('get', 'events', '-n', scene.namespace, '--no-headers')
      const lines = listed
        .trim()
        .split('\n')
        .map((row) =>
          row
            .trim()
            .split(/\s{2,}/)
            .slice(1),
        )
      expect(lines).to.have.deep.members([
        ['Normal', 'Issued', 'nhigrant/g', issued],
        ['Normal', 'Expired', 'nhigrant/g', expired],
      ])
    })

    it('are one create each, after the write of the status that says the same', async () => {
      const scene = await readyScene()
      await comesAndGoes(scene, 'g')
      await told(scene.namespace, 'g', 'Issued', 'Revoked')
      const made = await written(2, 'events', scene.namespace)
      expect(made.map(({ verb, responseStatus }) => `${verb} ${responseStatus?.code}`)).to.deep.equal([
        'create 201',
        'create 201',
      ])
      const reports = await written(3, 'nhigrants', scene.namespace)
      expect(reports).to.have.length(3)
      const [, active, ended] = reports
      const order = [active!, made[0]!, ended!, made[1]!].map(
        ({ requestReceivedTimestamp }) => requestReceivedTimestamp,
      )
      expect([...order].sort()).to.deep.equal(order)
    })

    it('warn of a grant that is denied, and of access that outlives it', async () => {
      const scene = await readyScene()
      await scene.ask('denied', { duration: '2h' })
      const denied = await scene.reaches('denied', 'Denied')
      const [event] = await told(scene.namespace, 'denied', 'Denied')
      expect(event).to.include({ type: 'Warning', action: 'Issue', note: denied['status'].endedReason })

      await admin.create(paths.roles(scene.namespace), { metadata: { name: 'legacy' }, rules: rules.rollout })
      await admin.create(paths.roleBindings(scene.namespace), {
        metadata: { name: 'legacy' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'legacy' },
        subjects: [{ kind: 'ServiceAccount', namespace: scene.namespace, name: 'default' }],
      })
      lasting.add(scene.namespace)
      await comesAndGoes(scene, 'g')
      const events = await told(scene.namespace, 'g', 'Issued', 'Revoked', 'Unsettled', 'HeldOtherwise')
      expect(events.slice(2).map(({ type }) => type)).to.deep.equal(['Warning', 'Warning'])
      expect(events[3]!['note']).to.include(`RoleBinding ${scene.namespace}/legacy`)
    })

    it('warn once of a removal that a finalizer holds up, however often it is tried, and tell when it is proved', async () => {
      const scene = await readyScene()
      await scene.ask('g')
      await scene.reaches('g', 'Active')
      const [binding] = await scene.roleBindings()
      const path = `${paths.roleBindings(scene.namespace)}/${binding!.metadata!.name}`
      lasting.add(scene.namespace)
      await admin.patch(path, { metadata: { finalizers: ['example.com/hold'] } })
      await scene.revoke('g', 'leaked')
      const [, , held] = await told(scene.namespace, 'g', 'Issued', 'Revoked', 'HeldByFinalizer')
      expect(held!['note']).to.include(`${binding!.metadata!.name} (example.com/hold)`)
      const tries = async (): Promise<number> =>
        (await writes('rolebindings', scene.namespace)).filter(({ verb }) => verb === 'delete').length
      const before = await tries()
      await eventually('it is tried again', async () => ((await tries()) > before ? true : undefined))
      await told(scene.namespace, 'g', 'Issued', 'Revoked', 'HeldByFinalizer')
      await admin.patch(path, { metadata: { finalizers: null } })
      await scene.ends('g', 'Revoked')
      const all = await eventually('the proof is told', async () => {
        const found = await eventsOf(scene.namespace, 'g')
        return found.at(-1)?.['reason'] === 'AccessDenied' ? found : undefined
      })
      // asked at once, the API server may allow for a moment yet what the binding gave
      const events = all.filter((event) => event['reason'] !== 'Unsettled')
      expect(events.map((event) => event['reason'])).to.deep.equal([
        'Issued',
        'Revoked',
        'HeldByFinalizer',
        'AccessDenied',
      ])
      expect(events.map(({ series }) => series)).to.deep.equal([undefined, undefined, undefined, undefined])
    })

    it('tell in namespace default of a policy, which version is in force and which was refused', async () => {
      const scene = await readyScene()
      await scene.applyPolicy({ version: '0.9.0' })
      const refused = await scene.policyIs('False', 'VersionNotRising')
      const events = await told('default', scene.policy, 'Accepted', 'VersionNotRising')
      expect(events.map(({ type, note }) => ({ type, note }))).to.deep.equal([
        { type: 'Normal', note: `${scene.policy}@1.0.0 is in force` },
        {
          type: 'Warning',
          note: refused['status'].conditions.find((each: KubeObject) => each['type'] === 'Ready').message,
        },
      ])
      const described = await kubectl('describe', 'accesspolicy', scene.policy)
      expect(described).to.match(new RegExp(`Normal +Accepted .* ${scene.policy}@1\\.0\\.0 is in force`))
      expect(described).to.match(/Warning +VersionNotRising /)
    })

    it('are not made at rest, nor by a restart', async () => {
      const scene = await readyScene()
      await scene.ask('active')
      await comesAndGoes(scene, 'ended', { permissions: ['read-pods'] })
      await told(scene.namespace, 'active', 'Issued')
      await told(scene.namespace, 'ended', 'Issued', 'Revoked')
      const before = await written(3, 'events', scene.namespace)
      await controllers.stop()
      controllers = await fixture.run({ events: recorders.over, intercept: whenNoticed })
      await admin.patch(`${paths.grants(scene.namespace)}/active`, { metadata: { labels: { touched: 'yes' } } })
      // events are written one after the other: what they had to tell of those comes before the news of this one
      const later = await scene.elsewhere(fixture.controlPlane)
      await later.ask('g')
      await told(later.namespace, 'g', 'Issued')
      expect(await writes('events', scene.namespace)).to.deep.equal(before)
    })
  })

  it('are not repeated when the status that they tell of must be written again', async () => {
    const scene = await Scene.set(fixture.controlPlane)
    let failures = 0
    const intercept: Interceptor = (call, proceed) => {
      const isFirst = call.resource === 'nhigrants' && call.body?.['state'] === 'Active' && ++failures <= 3
      return isFirst ? Promise.reject(new ServerError({ method: 'PUT', path: '/injected' }, 'no', 500)) : proceed()
    }
    const recorders = new Recorders()
    const scope = { policy: scene.policy, namespace: scene.namespace }
    const controllers = await fixture.run({ scope, intercept, events: recorders.over })
    await scene.policyIs('True')
    await scene.ask('g')
    await scene.reaches('g', 'Active')
    const [event] = await told(scene.namespace, 'g', 'Issued')
    expect(event).not.to.have.property('series')
    expect(failures).to.equal(4)
    await controllers.stop()
  })

  it('that the operator may not write are lost, and nothing else is', async () => {
    const path = `${paths.clusterRoles}/lapse-controller`
    const { rules: all } = await admin.get(path)
    const others = (all as readonly KubeObject[]).filter((rule) => rule['resources']?.includes('events') !== true)
    expect(others).to.have.length(all.length - 1)
    const recorders = new Recorders()
    const scene = await Scene.set(fixture.controlPlane)
    const scope = { policy: scene.policy, namespace: scene.namespace }
    await admin.patch(path, { rules: others })
    await operatorMayWriteEvents(false)
    const controllers = await fixture.run({ scope, events: recorders.over, intercept: whenNoticed })
    try {
      await scene.policyIs('True')
      const { status } = await comesAndGoes(scene, 'g')
      expect(status.revocation).to.have.keys('verifiedAt', 'overstay')
      await eventually('three are lost', () => Promise.resolve(recorders.dropped === 3 ? true : undefined))
      expect(await admin.list(eventsIn(scene.namespace))).to.deep.equal([])
      const tried = await written(2, 'events', scene.namespace)
      expect(tried.map(({ responseStatus }) => responseStatus?.code)).to.deep.equal([403, 403])
    } finally {
      await admin.patch(path, { rules: all })
      await operatorMayWriteEvents(true)
      await controllers.stop()
    }
  })

  it('whose sink throws disturb no reconcile', async () => {
    let tries = 0
    const sink: EventSink = {
      record: () => {
        tries += 1
        throw new Error('broken')
      },
    }
    const scene = await Scene.set(fixture.controlPlane)
    const scope = { policy: scene.policy, namespace: scene.namespace }
    const controllers = await fixture.run({ scope, events: () => sink, intercept: whenNoticed })
    await scene.policyIs('True')
    await comesAndGoes(scene, 'g')
    expect(await written(3, 'nhigrants', scene.namespace)).to.have.length(3)
    // the last is told of after its status is written
    await eventually('three are told', () => Promise.resolve(tries >= 3 || undefined))
    expect(tries).to.equal(3)
    await controllers.stop()
  })

  describe('that are seen again', () => {
    let transport: Transport
    let clock: FakeClock
    let recorders: Recorders
    let recorder: EventRecorder
    let namespace: string
    before(async () => {
      const kubeconfig = await fixture.controlPlane.kubeconfigForServiceAccount('lapse-system', 'lapse-controller')
      const connection = await loadConnection({ kubeconfig, clock: systemClock })
      transport = new Transport({ connection, clock: systemClock, random: Math.random })
    })
    beforeEach(async () => {
      clock = new FakeClock(Date.now())
      recorders = new Recorders()
      recorder = recorders.over(transport, clock)
      namespace = await fixture.controlPlane.namespace()
    })
    after(() => transport?.close())

    function noteOf(note: string, name = 'g'): EventNote {
      const metadata = { namespace, name, uid: 'u-1', resourceVersion: '7' }
      const regarding = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', metadata }
      return { regarding, type: 'Warning', reason: 'Denied', action: 'Issue', note }
    }

    /** Resolves when the only Event says that it was seen so often; 1: it has no series. */
    const seen = (count: number): Promise<KubeObject> =>
      eventually(`one event, seen ${count} times`, async () => {
        const [event, ...others] = await admin.list(eventsIn(namespace))
        expect(others).to.deep.equal([])
        return event !== undefined && (event['series']?.count ?? 1) === count ? event : undefined
      })

    it('are counted in the one that is there, which kubectl shows', async () => {
      recorder.record(noteOf('no'))
      await clock.advance(0)
      await seen(1)
      for (let n = 0; n < 4; n++) {
        await clock.advance(1_000)
        recorder.record(noteOf('no'))
      }
      await clock.advance(6_000)
      const event = await seen(5)
      expect(event['series'].lastObservedTime).to.match(/\.\d{6}Z$/)
      expect(event['eventTime']).to.match(/\.\d{6}Z$/)
      recorder.record(noteOf('no'))
      await clock.advance(10_000)
      await seen(6)
      expect((await written(3, 'events', namespace)).map(({ verb }) => verb)).to.deep.equal([
        'create',
        'patch',
        'patch',
      ])
      const table = await kubectl('get', 'events', '-n', namespace, '-o', 'wide', '--no-headers')
      expect(table.trim().split('\n')).to.have.length(1)
      expect(table).to.match(/Warning +Denied +nhigrant\/g .* no .* 6 +g\.[0-9a-f]{16}/)
      expect(recorders.dropped).to.equal(0)
    })

    it('are written anew when somebody deleted the one that was there', async () => {
      recorder.record(noteOf('no'))
      await clock.advance(0)
      const event = await seen(1)
      await admin.delete(`${eventsIn(namespace)}/${event.metadata!.name}`)
      recorder.record(noteOf('no'))
      await clock.advance(10_000)
      const again = await seen(2)
      expect(again.metadata!.uid).not.to.equal(event.metadata!.uid)
      expect(recorders.dropped).to.equal(0)
    })

    const taken: Readonly<Record<string, () => EventNote>> = {
      'with a note that is too long': () => noteOf('€'.repeat(1_000)),
      'with half of a surrogate pair': () => noteOf(`${'a'.repeat(1_021)}\ud83d`),
      'about an object with the longest name': () => noteOf('no', `${'x'.repeat(235)}.${'y'.repeat(17)}`),
      'about an object whose name an Event cannot have': () => noteOf('no', 'system:node'),
    }
    for (const [sentence, make] of Object.entries(taken))
      it(`or for the first time are taken by the API server: ${sentence}`, async () => {
        recorder.record(make())
        await recorder.drain()
        await seen(1)
        expect(recorders.dropped).to.equal(0)
      })
  })
})
