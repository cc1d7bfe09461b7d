import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'chai'

import { Conflict, ServerError, TooManyRequests, Unreachable } from '../../src/cluster/errors.ts'
import { loadConditionEngine } from '../../src/core/cel/engine.ts'
import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { ControllersFixture, type RunOptions } from '../support/controllers-fixture.ts'
import { allowCredentials, leftOf } from '../support/credential-scene.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { lifeKinds, withCredential, withOwnRole, type LifeKind } from '../support/grant-lives.ts'
import { isWriteCall, type Call, type Interceptor } from '../support/intercepted-client.ts'
import { conditionOf, paths, rules, Scene } from '../support/scene.ts'
import { onlyFirst, type SeenRequest } from '../support/seen-request.ts'

const narrower = [{ ...rules.rollout[0], verbs: ['get'] }]

/** Of the life of its policy. */
const ofPolicies = ['accesspolicies', 'accesspolicyrevisions', 'clusterroles']

/** The writes that make up a grant's life, as opposed to those of its policy. */
const isOfGrant = (call: Call): boolean => isWriteCall(call) && !ofPolicies.includes(call.resource)

/** Said only where the API server still allows what it has just been told to take away, since its authorizer is behind. */
const saysUnsettled = ({ body }: Call): boolean =>
  body !== null && conditionOf({ status: body }, 'RevocationVerified')?.['reason'] === 'Unsettled'

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
    try {
      if (when === 'after') await proceed()
    } finally {
      die() // also when that write fails
    }
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

const isProved = ({ status }: KubeObject): boolean => status?.revocation?.verifiedAt !== undefined

/** Resolves when their grants are over, or after a minute. One question for all: one for each would slow them down. */
async function untilOver(admin: AdminApi, scenes: readonly Scene[]): Promise<void> {
  const namespaces = new Set(scenes.map(({ namespace }) => namespace))
  const probe = async (): Promise<true | undefined> => {
    const all = await admin.list(paths.allGrants)
    return all.filter(({ metadata }) => namespaces.has(metadata!.namespace!)).every(isProved) || undefined
  }
  await eventually('all are over', probe, 60_000).catch(() => undefined)
}

const scopeOf = (scene: Scene): RunOptions => ({
  scope: { policy: scene.policy, namespace: scene.namespace },
  credentialNamespaces: [scene.namespace],
})

/** Of a grant that is over, and proved to be; or was denied, since a crash left it without what was to carry it. */
const ended = (scene: Scene, withinMs = 50_000): Promise<KubeObject> =>
  scene.whenGrant(
    'g',
    'is over',
    ({ status: { state, revocation } = {} }) =>
      state === 'Denied' || (['Expired', 'Revoked'].includes(state as string) && revocation?.verifiedAt !== undefined),
    withinMs,
  )

describe('a grant whose controllers crash', function () {
  this.timeout(400_000)

  // Its own: every life has controllers of its own, which see only their grant.
  let fixture: ControllersFixture
  before(async () => {
    await loadConditionEngine()
    fixture = await ControllersFixture.start()
  })
  after(() => fixture?.stop())

  interface Life {
    readonly kind: LifeKind
    readonly n: number
    readonly when: 'before' | 'after'
    /** at once: within the grant's window. later: after it, if the grant had one. */
    readonly restart: 'at once' | 'later'
  }

  interface Lived {
    readonly scene: Scene
    readonly over: KubeObject
  }

  /** A whole life, broken off once. Returns the grant as it ended; null: it was over before that write, since its window passed while it was issued. */
  async function live(scene: Scene, { kind, n, when, restart }: Life): Promise<KubeObject | null> {
    const watchman = new Watchman(fixture.controlPlane.admin)
    const { intercept, died } = crashing(n, when)
    const first = await fixture.run({ ...scopeOf(scene), intercept: watchman.over(intercept) })
    await scene.ask('g', kind.spec)
    const acted = Promise.resolve(kind.act?.(scene, fixture.controlPlane.admin)).then(
      () => null,
      (error: unknown) => error as Error,
    )
    const isOver = ended(scene, 90_000).then(() => delay(500, 'over' as const))
    const outcome = await Promise.race([died, isOver])
    isOver.catch(() => undefined)
    await first.stop()
    if (outcome === 'over') return null
    const { status: before } = await scene.grant('g')
    if (restart === 'later' && before?.notAfter !== undefined)
      await delay(Math.max(0, Date.parse(before.notAfter) - Date.now()))
    const second = await fixture.run({ ...scopeOf(scene), intercept: watchman.over((_, proceed) => proceed()) })
    const problem = await acted
    if (problem !== null) throw problem
    const over = await ended(scene)
    await second.stop()
    expect(watchman.violations).to.deep.equal([])
    if (before?.notAfter !== undefined)
      expect(Date.parse(over['status'].notAfter)).to.be.at.most(Date.parse(before.notAfter))
    return over
  }

  /** The same life, three times as long; one that ends by something else than its time is as it was. */
  const lasting = ({ kind, ...life }: Life): Life => {
    const [, seconds] = /^(\d+)s$/.exec(String(kind.spec['duration'])) ?? []
    return {
      ...life,
      kind: seconds === undefined ? kind : { ...kind, spec: { ...kind.spec, duration: `${3 * Number(seconds)}s` } },
    }
  }

  // To its successor, controllers that crash after a write are as if they had crashed before the next one.
  const lives: readonly Life[] = [
    ...lifeKinds.flatMap((kind) =>
      kind.writes.map((_, index): Life => ({ kind, n: index + 1, when: 'before', restart: 'at once' })),
    ),
    ...lifeKinds.map((kind): Life => ({ kind, n: kind.writes.length, when: 'after', restart: 'at once' })),
    ...[1, 2, 3, 4, 5].map((n): Life => ({ kind: withOwnRole, n, when: 'before', restart: 'later' })),
  ]

  describe('at any write', () => {
    let ends: readonly Promise<Lived>[]
    let first: ReadonlyMap<LifeKind, Scene>
    /** Of its own, under the policy that the lives of that kind share. */
    const sceneOf = async (kind: LifeKind): Promise<Scene> => {
      const scene = await first.get(kind)!.elsewhere(fixture.controlPlane)
      if (kind === withCredential) await allowCredentials(fixture.controlPlane, [scene.namespace])
      return scene
    }
    /** On a machine that is busy a window passes now and then while its grant is issued: the next try has a longer one. */
    const tryToLive = async (life: Life, tries = 3): Promise<Lived> => {
      const scene = await sceneOf(life.kind)
      const over = await live(scene, life)
      if (over !== null) return { scene, over }
      return tries > 1 ? tryToLive(lasting(life), tries - 1) : expect.fail(`no write ${life.n}: the life is another`)
    }
    before(async () => {
      const setting = await fixture.run()
      const made = lifeKinds.map(async (kind) => [kind, await Scene.set(fixture.controlPlane, kind.policy)] as const)
      first = new Map(await Promise.all(made))
      await Promise.all([...first.values()].map((scene) => scene.policyIs('True')))
      await setting.stop()
      const lanes = Array.from({ length: 10 }, () => Promise.resolve())
      ends = lives.map((life, index) => {
        const end = lanes[index % lanes.length]!.then(() => tryToLive(life))
        lanes[index % lanes.length] = end.then(
          () => undefined,
          () => undefined,
        )
        return end
      })
      await Promise.all(lanes)
    })

    for (const [index, { kind, n, when, restart }] of lives.entries())
      it(`ends with nothing left: ${when} write ${n} (${kind.writes[n - 1]}), ${kind.name}, restarted ${restart}`, async () => {
        const {
          scene,
          over: { status: over },
        } = await ends[index]!
        // what a grant that was denied leaves of its credential is empty, and goes with it
        const left = (await leftOf(fixture.controlPlane.admin, scene)).filter((name) => name !== 'Secret token')
        expect(left).to.deep.equal([])
        expect((await scene.roles()).filter(({ metadata }) => metadata!.name !== 'lapse-credentials')).to.deep.equal([])
        expect(await scene.allows('get')).to.equal(false)
        expect(over.revocation ?? {}).not.to.have.property('residual')
        if (over.state === 'Expired') expect(over.endedAt).to.equal(over.notAfter)
        if (over.state === 'Denied') expect(kind).to.equal(withCredential)
      })

    for (const kind of lifeKinds)
      it(`and a life ${kind.name} has no more writes than those`, async () => {
        const scene = await sceneOf(kind)
        const made: string[] = []
        const intercept: Interceptor = (call, proceed) => {
          if (isOfGrant(call) && !saysUnsettled(call)) made.push(`${call.verb} ${call.resource}`)
          return proceed()
        }
        const controllers = await fixture.run({ ...scopeOf(scene), intercept })
        await scene.policyIs('True')
        await scene.ask('g', kind.spec)
        await kind.act?.(scene, fixture.controlPlane.admin)
        await ended(scene)
        await controllers.stop()
        expect(made).to.deep.equal(kind.writes)
      })
  })

  it('and that is carried in another way after the restart leaves nothing of the first behind', async () => {
    const scene = await Scene.set(fixture.controlPlane)
    const scope = { policy: scene.policy, namespace: scene.namespace }
    // Without a pool the grant gets a Role of its own; the crash comes when Role and binding exist.
    const { intercept, died } = crashing(4, 'before')
    const setting = await fixture.run({ scope, poolSize: 0 })
    await scene.policyIs('True', 'PoolExhausted')
    await setting.stop()
    const first = await fixture.run({ scope, intercept, poolSize: 0 }) // from its start it knows the policy to be in force
    await scene.ask('g', { duration: '5s' })
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
    /** Of a grant: a try for which a busy machine comes too late is made again after it. */
    const longestBackoff = 5_000
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
      await Promise.all([...scenes, ...chaotic].map((each) => each.ask('g', { rules: narrower, duration: '3s' })))
      await untilOver(fixture.controlPlane.admin, scenes)
      plans.clear()
      await untilOver(fixture.controlPlane.admin, chaotic)
      await controllers.stop()
    })

    for (const [index, { kind, fault }] of cases.entries())
      it(`${kind.startsWith('the removal') ? 'F14: ' : ''}ends on time with nothing left, though ${kind} met with ${fault}`, async () => {
        const { verifiedAt, notAfter } = await expectNothingLeft(scenes[index]!)
        // a pause that is asked for may become half as long again
        const paused = fault === 'a 429' ? 3 * 1.5 * pauseAskedFor : 0
        expect(Date.parse(verifiedAt) - Date.parse(notAfter)).to.be.below(paused + longestBackoff + 3_000)
      })

    it('invariant 8: ends with nothing left once calls work again, though four of ten calls of every kind failed', async () => {
      for (const scene of chaotic) await expectNothingLeft(scene)
    })

    it('F2: and at no time was there access without an end on record, or an end that moved later', () => {
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
    // first what is stored: the authorizer may not have heard of the binding yet
    await eventually('the binding is gone', async () => (await scene.roleBindings()).length === 0 || undefined)
    await scene.whenRefused()
    await controllers.stop()
    await proxy.close()
  })

  it('or whose API server stands still over its end is over as soon as the API server moves again', async () => {
    const scene = await Scene.set(fixture.controlPlane)
    const controllers = await fixture.run({ scope: { policy: scene.policy, namespace: scene.namespace } })
    await scene.policyIs('True')
    await scene.ask('g', { duration: '3s' })
    const { status } = await scene.reaches('g', 'Active')
    const apiServer = fixture.controlPlane.part('kube-apiserver')
    apiServer.pause()
    await delay(Math.max(0, Date.parse(status.notAfter) - Date.now()) + 1_000)
    apiServer.resume()
    await scene.ends('g', 'Expired', 8_000)
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
