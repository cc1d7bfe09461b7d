import { setTimeout as delay } from 'node:timers/promises'

import { loadConditionEngine } from '../../src/core/cel/engine.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'
import { AccessProbe } from './access-probe.ts'
import type { AdminApi, KubeObject } from './admin-api.ts'
import { signs, type GrantReading, type ModelPolicy } from './asked-grant.ts'
import { MovableClock, type ControllersFixture, type RunningControllers } from './controllers-fixture.ts'
import { allowCredentials } from './credential-scene.ts'
import { FaultProxy } from './fault-proxy.ts'
import { allCarriers } from './grant-carriers.ts'
import { GrantModel } from './grant-model.ts'
import { paths, Scene } from './scene.ts'
import { subjects, WorldPeople } from './world-people.ts'

/** Somebody who must never have any access. */
const intruder = 'intruder'
const firstPolicy: ModelPolicy = { version: 1, needsApproval: false, isWide: true }

/** Milliseconds that an end may take while the controllers work and reach their API server: less than their longest back-off. */
const promptly = 4_000
/** The same after they were stopped or cut off: the longest back-off of a grant, and some. */
const afterTrouble = 9_000
/** Until nothing carries a grant that is over, milliseconds; what it gives is gone before. */
const tidied = 30_000
/** Milliseconds that a grant lasts, so that it ends by itself while its world is there. */
export const shortGrant = 4_000
/** The same of one that somebody, or something, must end. */
export const longGrant = 600_000
/** Where the clock of the operator is ahead, ends are counted from the Date of the API server, which has no fractions. */
const wholeSecond = 1_000
/** The default of controllers, and of the chart. */
const poolSize = 256

/** What was driven, so that a run that did nothing does not pass for one that found nothing. */
export interface Tally {
  readonly done: Map<string, number>
  /** What somebody was found to have, and how often. */
  readonly allowed: Map<string, number>
  looks: number
}

export interface WorldParts {
  readonly fixture: ControllersFixture
  readonly tally: Tally
  /** Of the pool of roles: the controllers of worlds that are there at the same time know nothing of each other. */
  readonly share: { readonly index: number; readonly of: number }
}

/** A namespace with a policy, controllers that see to nothing else, and a model of what they may do; everything is done to both. */
export class GrantWorld {
  readonly scene: Scene
  readonly model: GrantModel
  readonly admin: AdminApi
  readonly people: WorldPeople
  readonly tally: Tally
  readonly #fixture: ControllersFixture
  readonly #probe: AccessProbe
  readonly #proxy: FaultProxy
  readonly #takenByOthers: readonly object[]
  readonly #wall = new MovableClock()
  #running: RunningControllers | null = null
  #isDead = false
  #isClockMoved = false
  #calmSince = 0
  #isCalm = false
  #names = 0
  #version = 1

  private constructor({ fixture, tally, share }: WorldParts, scene: Scene, proxy: FaultProxy) {
    this.#fixture = fixture
    this.#takenByOthers = namesOutside(share)
    this.scene = scene
    this.#proxy = proxy
    this.model = new GrantModel(firstPolicy, subjects, (end) => this.#deadlineOf(end))
    this.admin = fixture.controlPlane.admin
    this.people = new WorldPeople(this.admin, scene)
    this.#probe = new AccessProbe(this.admin, scene.namespace)
    this.tally = tally
  }

  /** Resolves when grants are issued in it. */
  static async set(parts: WorldParts): Promise<GrantWorld> {
    const { controlPlane } = parts.fixture
    await loadConditionEngine()
    const scene = await Scene.set(controlPlane, null)
    await allowCredentials(controlPlane, [scene.namespace])
    const world = new GrantWorld(parts, scene, await FaultProxy.start(controlPlane))
    await Promise.all(
      subjects.map((name) => world.admin.create(paths.serviceAccounts(scene.namespace), { metadata: { name } })),
    )
    await world.people.applyPolicy(firstPolicy)
    await world.startControllers()
    await scene.policyIs('True')
    world.#calmSince = 0 // nothing was left to them
    return world
  }

  /** One that no grant of any world has. */
  nextName(): string {
    return `${this.scene.policy}-${(this.#names += 1)}`
  }

  nextVersion(): number {
    return (this.#version += 1)
  }

  get isRunning(): boolean {
    return this.#running !== null
  }

  /** Others, if any run. */
  async startControllers(): Promise<void> {
    await this.stopControllers('in peace')
    this.#isDead = false
    this.#running = await this.#fixture.run({
      scope: { policy: this.scene.policy, namespace: this.scene.namespace },
      clusterGrants: true,
      credentialNamespaces: [this.scene.namespace],
      through: this.#proxy,
      clock: new TrustedClock(this.#wall),
      intercept: async (call, proceed) => {
        if (this.#isDead) throw new Error('crashed')
        const answer = await proceed()
        if (this.#isDead) throw new Error('crashed')
        const isOfPool = call.verb === 'list' && call.resource === 'clusterroles'
        return isOfPool ? [...(answer as readonly object[]), ...this.#takenByOthers] : answer
      },
    })
    this.model.started(Date.now())
    this.#calm()
  }

  /** In peace; or without another call, whatever they were at. */
  async stopControllers(how: 'in peace' | 'crashing'): Promise<void> {
    this.#isCalm = false
    this.#isDead = how === 'crashing'
    await this.#running?.stop()
    this.#running = null
  }

  moveClock(by: number): void {
    this.#wall.move(by)
    this.#isClockMoved = true
  }

  /** Controllers run, and their clock is right. */
  async startAfresh(): Promise<void> {
    if (this.isRunning && !this.#isClockMoved) return
    this.#wall.move(Date.now() - this.#wall.now())
    this.#isClockMoved = false
    await this.startControllers() // who has heard another time would go on by that
  }

  /** Nothing passes between the controllers and the API server for that long. */
  async partition(millis: number): Promise<void> {
    const wasCalm = this.#isCalm
    this.#isCalm = false
    this.#proxy.link.stall()
    await delay(millis / 2)
    await this.look()
    await delay(millis / 2)
    await this.#proxy.link.goOn()
    if (wasCalm) this.#calm()
  }

  /** Whether access and record are as the model allows; fails with what is not. */
  async look(): Promise<void> {
    const asked = Date.now()
    const found = await this.#probe.accessOf(this.#everybody)
    this.tally.looks += 1
    await this.read()
    for (const { who, right } of found) {
      const as =
        who === intruder ? ', by what somebody gave' : who.startsWith('lapse-') ? ', by an identity of its own' : ''
      const what = `${right}${as}`
      this.tally.allowed.set(what, (this.tally.allowed.get(what) ?? 0) + 1)
      const problem = this.model.whyNot(who, right, asked)
      if (problem !== null) throw new Error(`${who} may ${right}: ${problem}`)
    }
  }

  /** Takes in what is on record: what is done next finds it so. */
  async read(): Promise<void> {
    const wide = `${paths.clusterGrants}?labelSelector=policy%3D${this.scene.policy}`
    const all = await Promise.all([paths.grants(this.scene.namespace), wide].map((path) => this.admin.list(path)))
    const answered = Date.now()
    const isAhead = this.#wall.now() > answered
    const problems = this.model.read(all.flat().map(readingOf), answered, answered + (isAhead ? wholeSecond : 0))
    if (problems.length > 0) throw new Error(problems.join('; '))
  }

  /** The worst is over: in the end, which a last turn of things brings to what lives still, nothing is left, and what is asked for then is given and taken as ever. */
  async expectTheEnd(lastTurn: (world: GrantWorld) => Promise<void>): Promise<void> {
    const { scene, people, model } = this
    await this.startControllers()
    await this.read()
    await lastTurn(this)
    // what is over, or soon will be, must end by itself
    for (const grant of model.living(Date.now() + shortGrant)) {
      await people.revoke(grant)
      model.revoked(grant.uid, Date.now())
    }
    const deadline = Date.now() + shortGrant + tidied
    for (let left = await this.#remains(); left.length > 0; left = await this.#remains()) {
      if (Date.now() > deadline) throw new Error(`all grants are over, and there is ${left.join(', ')}`)
      await delay(100)
    }
    for (const subject of subjects) await people.lift(subject)
    await people.label({ policy: scene.policy, ...Object.fromEntries(signs.map((sign) => [sign, null])) })
    if (!model.isThere('a'))
      await this.admin.create(paths.serviceAccounts(scene.namespace), { metadata: { name: 'a' } })
    await people.applyPolicy({ version: 1_000, needsApproval: false, isWide: true })
    await scene.policyIs('True')
    await this.startAfresh()
    await scene.ask('last', { ...people.askedBy('asker', 'a'), duration: '1s' })
    await scene.ends('last', 'Expired')
  }

  async close(): Promise<void> {
    await this.#running?.stop()
    await this.#proxy.close()
    for (const subject of subjects) await this.people.lift(subject)
  }

  get #everybody(): readonly string[] {
    return [...new Set([...this.model.holders, intruder])]
  }

  /** What somebody may do still, and what carries grants still; what somebody else left behind may stay, while it gives nothing. */
  async #remains(): Promise<readonly string[]> {
    await this.look()
    const access = await this.#probe.accessOf(this.#everybody)
    const carriers = await allCarriers(this.admin, this.scene.namespace)
    return [...access.map(({ who, right }) => `${who}, who may ${right}`), ...carriers.map(({ path }) => path)]
  }

  #calm(): void {
    this.#calmSince = Date.now()
    this.#isCalm = true
  }

  #deadlineOf(end: number): number {
    if (!this.#isCalm) return Infinity
    const isTroubled = end < this.#calmSince + afterTrouble
    return isTroubled ? Math.max(end, this.#calmSince) + afterTrouble : end + promptly
  }
}

/** As roles, the names of the pool that are not in that share. */
function namesOutside({ index, of }: WorldParts['share']): readonly object[] {
  const names = Array.from({ length: poolSize }, (_, place) => place).filter((place) => place % of !== index)
  return names.map((place) => ({ metadata: { name: `lapse-set-${place}` } }))
}

function readingOf({ metadata, status }: KubeObject): GrantReading {
  const state = (status?.state as string | undefined) ?? 'Pending'
  const tokenEnd = instantOf(status?.credential?.expiresAt)
  return { uid: metadata!.uid!, state, notAfter: instantOf(status?.notAfter), tokenEnd }
}

function instantOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text)
}
