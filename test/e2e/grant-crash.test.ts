import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'chai'

import { Conflict, ServerError, TooManyRequests, Unreachable } from '../../src/cluster/errors.ts'
import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { ControllersFixture } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { isWriteCall, type Call, type Interceptor } from '../support/intercepted-client.ts'
import { paths, rules, Scene } from '../support/scene.ts'
import { onlyFirst, type SeenRequest } from '../support/seen-request.ts'

const narrower = [{ ...rules.rollout[0], verbs: ['get'] }]

/** The writes that make up a grant's life, as opposed to those of its policy. */
const isOfGrant = (call: Call): boolean =>
  isWriteCall(call) && ['nhigrants', 'roles', 'rolebindings'].includes(call.resource)

/**
 * What holds at every instant, whatever fails: no binding is created while the grant's status in the API server does not
 * say until when, and that instant never moves later.
 */
class Watchman {
  readonly violations: string[] = []
  readonly #admin: AdminApi
  readonly #ends = new Map<string, number>()

  constructor(admin: AdminApi) {
    this.#admin = admin
  }

  /** The interceptor, with a look at every call that passes through it. */
  over(intercept: Interceptor): Interceptor {
    return (call, proceed) =>
      intercept(call, async () => {
        if (call.verb === 'create' && call.resource === 'rolebindings') await this.#expectRecord(call)
        const answer = await proceed()
        if (call.verb === 'replaceStatus' && call.resource === 'nhigrants') this.#expectNotLater(call)
        return answer
      })
  }

  async #expectRecord(call: Call): Promise<void> {
    const [grant] = await this.#admin.list(paths.grants(call.namespace))
    const names = (grant?.['status']?.objects ?? []).map((object: { name: string }) => object.name)
    if (grant?.['status']?.notAfter === undefined) this.violations.push(`${call.name} is created without a notAfter`)
    if (!names.includes(call.name)) this.violations.push(`${call.name} is created without a record`)
  }

  #expectNotLater(call: Call): void {
    const notAfter = Date.parse((call.body?.['notAfter'] as string | undefined) ?? '')
    if (Number.isNaN(notAfter)) return
    const before = this.#ends.get(call.namespace) ?? notAfter
    if (notAfter > before) this.violations.push(`notAfter moves from ${before} to ${notAfter}`)
    this.#ends.set(call.namespace, Math.min(notAfter, before))
  }
}

/** Controllers that end for ever at their n-th write: before it is made, or after, when the answer is lost. */
function crashing(n: number, when: 'before' | 'after'): { intercept: Interceptor; died: Promise<void> } {
  let writes = 0
  let dead = false
  const { promise: died, resolve: die } = Promise.withResolvers<void>()
  const crash = new Error('crashed')
  const intercept: Interceptor = async (call, proceed) => {
    if (dead) throw crash
    if (isOfGrant(call)) writes += 1
    if (!isOfGrant(call) || writes !== n) {
      const answer = await proceed()
      if (dead) throw crash
      return answer
    }
    dead = true
    if (when === 'after') await proceed()
    die()
    throw crash
  }
  return { intercept, died }
}

async function expectNothingLeft(scene: Scene): Promise<{ readonly verifiedAt: string; readonly notAfter: string }> {
  const { status } = await scene.ends('g', 'Expired')
  expect(await scene.roleBindings()).to.deep.equal([])
  expect(await scene.roles()).to.deep.equal([])
  expect(await scene.allows('get')).to.equal(false)
  expect(status.endedAt).to.equal(status.notAfter)
  expect(status.revocation).not.to.have.property('residual')
  return { verifiedAt: status.revocation.verifiedAt, notAfter: status.notAfter }
}

describe('a grant whose controllers crash', function () {
  this.timeout(90_000)

  // Its own: every life has controllers of its own, which see only their grant.
  let fixture: ControllersFixture
  before(async () => {
    fixture = await ControllersFixture.start()
  })
  after(() => fixture?.stop())

  interface Life {
    readonly n: number
    readonly when: 'before' | 'after'
    readonly spec: Readonly<Record<string, unknown>>
    /** at once: within the grant's window. later: after it, if the grant had one. */
    readonly restart: 'at once' | 'later'
  }

  /** A whole life, broken off once. Returns the grant as it ended, with everything that was seen on the way. */
  async function live(scene: Scene, { n, when, spec, restart }: Life): Promise<KubeObject> {
    const watchman = new Watchman(fixture.controlPlane.admin)
    const scope = { policy: scene.policy, namespace: scene.namespace }
    const { intercept, died } = crashing(n, when)
    const first = await fixture.run({ scope, intercept: watchman.over(intercept) })
    await scene.ask('g', spec)
    await Promise.race([died, delay(15_000).then(() => expect.fail(`no write ${n}: the life was another`))])
    await first.stop()
    const { status } = await scene.grant('g')
    if (restart === 'later' && status?.notAfter !== undefined)
      await delay(Math.max(0, Date.parse(status.notAfter) - Date.now()))
    const second = await fixture.run({ scope, intercept: watchman.over((_, proceed) => proceed()) })
    const ended = await scene.ends('g', 'Expired', 20_000)
    await second.stop()
    expect(watchman.violations).to.deep.equal([])
    if (status?.notAfter !== undefined) expect(ended['status'].notAfter).to.equal(status.notAfter)
    return ended
  }

  const twoSets = { permissions: ['rollout', 'read-pods'] }
  const ownRole = { rules: narrower }
  // To its successor, controllers that crash after a write are as if they had crashed before the next one.
  const breaks = [
    ...[1, 2, 3, 4, 5, 6, 7].map((n) => ({ n, when: 'before' }) as const),
    { n: 7, when: 'after' } as const,
  ]
  const lives: readonly Life[] = [
    ...breaks.map((at): Life => ({ ...at, spec: { ...twoSets, duration: '2s' }, restart: 'at once' })),
    ...breaks.map((at): Life => ({ ...at, spec: { ...ownRole, duration: '2s' }, restart: 'at once' })),
    ...breaks
      .filter(({ n }) => n <= 5)
      .map((at): Life => ({ ...at, spec: { ...ownRole, duration: '1s' }, restart: 'later' })),
  ]

  describe('at any write', () => {
    let scenes: readonly Scene[]
    let ends: readonly Promise<KubeObject>[]
    before(async () => {
      const setting = await fixture.run()
      scenes = await Promise.all(lives.map(() => Scene.set(fixture.controlPlane)))
      await Promise.all(scenes.map((scene) => scene.policyIs('True')))
      await setting.stop()
      const lanes = Array.from({ length: 12 }, () => Promise.resolve())
      ends = lives.map((life, index) => {
        const end = lanes[index % lanes.length]!.then(() => live(scenes[index]!, life))
        lanes[index % lanes.length] = end.then(
          () => undefined,
          () => undefined,
        )
        return end
      })
      await Promise.all(lanes)
    })

    for (const [index, { n, when, spec, restart }] of lives.entries())
      it(`ends with nothing left: ${when} write ${n}, ${'rules' in spec ? 'with a Role of its own' : 'with two bindings'}, restarted ${restart}`, async () => {
        const ended = await ends[index]!
        const scene = scenes[index]!
        expect(await scene.roleBindings()).to.deep.equal([])
        expect(await scene.roles()).to.deep.equal([])
        expect(await scene.allows('get')).to.equal(false)
        expect(ended['status'].endedAt).to.equal(ended['status'].notAfter)
        expect(ended['status'].revocation).not.to.have.property('residual')
      })

    it('and a life has no more writes than those', async () => {
      for (const spec of [twoSets, ownRole]) {
        const scene = await Scene.set(fixture.controlPlane)
        const made: string[] = []
        const intercept: Interceptor = (call, proceed) => {
          if (isOfGrant(call)) made.push(`${call.verb} ${call.resource}`)
          return proceed()
        }
        const scope = { policy: scene.policy, namespace: scene.namespace }
        const controllers = await fixture.run({ scope, intercept })
        await scene.policyIs('True')
        await scene.ask('g', { ...spec, duration: '1s' })
        await scene.ends('g', 'Expired')
        await controllers.stop()
        expect(made, made.join()).to.have.length(7)
      }
    })
  })

  it('and that is carried in another way after the restart leaves nothing of the first behind', async () => {
    const scene = await Scene.set(fixture.controlPlane)
    const scope = { policy: scene.policy, namespace: scene.namespace }
    // Without a pool the grant gets a Role of its own; the crash comes when Role and binding exist.
    const { intercept, died } = crashing(4, 'before')
    const first = await fixture.run({ scope, intercept, poolSize: 0 })
    await scene.policyIs('True', 'PoolExhausted')
    await scene.ask('g', { duration: '3s' })
    await died
    await first.stop()
    expect(await scene.roleBindings()).to.have.length(1)
    let isPooled = false
    const patient: Interceptor = (call, proceed) =>
      isOfGrant(call) && !isPooled ? Promise.reject(new Error('not yet')) : proceed()
    const second = await fixture.run({ scope, intercept: patient })
    await scene.policyIs('True', 'Accepted')
    isPooled = true
    await scene.ends('g', 'Expired')
    await second.stop()
    expect(await scene.roleBindings()).to.deep.equal([])
    expect(await scene.roles()).to.deep.equal([])
  })

  describe('or whose API server fails', () => {
    const line = { method: 'POST', path: '/injected' }
    const pauseAskedFor = 1_000
    const faults: Readonly<Record<string, (proceed: () => Promise<unknown>) => Promise<unknown>>> = {
      'a 500': () => Promise.reject(new ServerError(line, 'internal error', 500)),
      'a 409': () => Promise.reject(new Conflict(line, 'the object has been modified', 'Conflict')),
      'a 429': () => Promise.reject(new TooManyRequests(line, 'too many requests', pauseAskedFor)),
      'no answer, and no effect': () => Promise.reject(new Unreachable(line, 'no answer')),
      'no answer to what took effect': async (proceed) => {
        await proceed()
        throw new Unreachable(line, 'no answer')
      },
    }
    const kinds: Readonly<Record<string, (call: Call) => boolean>> = {
      'the writes of its status': ({ verb, resource }) => verb === 'replaceStatus' && resource === 'nhigrants',
      'the creation of its Role': ({ verb, resource }) => verb === 'create' && resource === 'roles',
      'the creation of its RoleBinding': ({ verb, resource }) => verb === 'create' && resource === 'rolebindings',
      'the removal of its RoleBinding': ({ verb, resource }) => verb === 'delete' && resource === 'rolebindings',
      'the removal of its Role': ({ verb, resource }) => verb === 'delete' && resource === 'roles',
      'every SubjectAccessReview': ({ verb }) => verb === 'isAllowed',
    }
    const cases = Object.keys(kinds).flatMap((kind) => Object.keys(faults).map((fault) => ({ kind, fault })))
    let watchman: Watchman
    let scenes: readonly Scene[]
    let chaotic: readonly Scene[]
    before(async () => {
      watchman = new Watchman(fixture.controlPlane.admin)
      const plans = new Map<string, Interceptor>()
      const intercept: Interceptor = (call, proceed) => (plans.get(call.namespace) ?? ((_, go) => go()))(call, proceed)
      const controllers = await fixture.run({ intercept: watchman.over(intercept) })
      const scene = await Scene.set(fixture.controlPlane)
      await scene.policyIs('True')
      scenes = await Promise.all(cases.map(() => scene.elsewhere(fixture.controlPlane)))
      chaotic = await Promise.all(Array.from({ length: 20 }, () => scene.elsewhere(fixture.controlPlane)))
      for (const [index, { kind, fault }] of cases.entries()) {
        // The first three calls of the kind; then everything works.
        let calls = 0
        plans.set(scenes[index]!.namespace, (call, proceed) => {
          const fails = kinds[kind]!(call) && ++calls <= 3
          return fails ? faults[fault]!(proceed) : proceed()
        })
      }
      const random = seeded(7)
      for (const { namespace } of chaotic)
        plans.set(namespace, (_, proceed) => {
          const [fault] = Object.values(faults).slice(Math.floor(random() * 5))
          return random() < 0.4 ? fault!(proceed) : proceed()
        })
      await Promise.all([...scenes, ...chaotic].map((each) => each.ask('g', { ...ownRole, duration: '3s' })))
      await Promise.all(scenes.map((each) => each.ends('g', 'Expired', 20_000))).catch(() => undefined)
      plans.clear()
      await Promise.all(chaotic.map((each) => each.ends('g', 'Expired', 20_000))).catch(() => undefined)
      await controllers.stop()
    })

    for (const [index, { kind, fault }] of cases.entries())
      it(`ends on time with nothing left, though ${kind} met with ${fault}`, async () => {
        const { verifiedAt, notAfter } = await expectNothingLeft(scenes[index]!)
        // a pause that is asked for may become half as long again
        const paused = fault === 'a 429' ? 3 * 1.5 * pauseAskedFor : 0
        expect(Date.parse(verifiedAt) - Date.parse(notAfter)).to.be.below(paused + 3_000)
      })

    it('ends with nothing left once calls work again, though four of ten calls of every kind failed', async () => {
      for (const scene of chaotic) await expectNothingLeft(scene)
    })

    it('and at no time was there access without an end on record, or an end that moved later', () => {
      expect(watchman.violations).to.deep.equal([])
    })
  })

  it('or whose binding is created only when the grant is over has access for no more than a moment', async () => {
    const scene = await Scene.set(fixture.controlPlane)
    const scope = { policy: scene.policy, namespace: scene.namespace }
    const proxy = await FaultProxy.start(fixture.controlPlane)
    const arrival = Promise.withResolvers<void>()
    const isCreate = ({ verb, path }: SeenRequest): boolean =>
      verb === 'write' && path === paths.roleBindings(scene.namespace)
    proxy.treat(onlyFirst(1, isCreate), { kind: 'deliver-late', until: arrival.promise })
    const controllers = await fixture.run({ scope, through: proxy })
    await scene.policyIs('True')
    await scene.ask('g', { duration: '2s' })
    await scene.ends('g', 'Expired', 20_000)
    expect(await scene.allows()).to.equal(false)
    arrival.resolve()
    await eventually('the binding is created', async () => {
      const created = await fixture.controlPlane.auditEvents(
        ({ verb, objectRef, responseStatus }) =>
          verb === 'create' &&
          objectRef?.resource === 'rolebindings' &&
          objectRef.namespace === scene.namespace &&
          responseStatus?.code === 201,
      )
      return created.length === 1 ? true : undefined
    })
    await eventually('the access is gone', async () => ((await scene.allows()) ? undefined : true))
    expect(await scene.roleBindings()).to.deep.equal([])
    await controllers.stop()
    await proxy.close()
  })

  it('or whose API server stands still over its end is over as soon as the API server moves again', async () => {
    const scene = await Scene.set(fixture.controlPlane)
    const controllers = await fixture.run({ scope: { policy: scene.policy, namespace: scene.namespace } })
    await scene.policyIs('True')
    await scene.ask('g', { duration: '1s' })
    await scene.reaches('g', 'Active')
    const apiServer = fixture.controlPlane.part('kube-apiserver')
    apiServer.pause()
    await delay(2_500)
    apiServer.resume()
    await scene.ends('g', 'Expired', 5_000)
    await eventually('nothing is left', async () => ((await scene.roleBindings()).length === 0 ? true : undefined))
    await controllers.stop()
  })
})

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
