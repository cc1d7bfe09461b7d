import { setTimeout as delay } from 'node:timers/promises'

import { grantDigestOf } from '../../src/api/v1alpha1/digest.ts'
import type { NHIGrantSpec } from '../../src/api/v1alpha1/nhi-grant.schema.ts'
import { parseAccessPolicy } from '../../src/api/v1alpha1/parse-access-policy.ts'
import { loadConditionEngine } from '../../src/core/cel/engine.ts'
import { serviceAccountUsername } from '../../src/core/identity.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'
import type { AdminApi, KubeObject } from './admin-api.ts'
import { MovableClock, type ControllersFixture, type RunningControllers } from './controllers-fixture.ts'
import { FaultProxy } from './fault-proxy.ts'
import { GrantModel, rights, type GrantReading, type ModelPolicy, type Right } from './grant-model.ts'
import { jobOf, succeeded } from './job.ts'
import { getOrNull, paths, rules, Scene } from './scene.ts'

/** Who may get access, and somebody who must never have any. */
export const subjects = ['a', 'b'] as const
const everybody = [...subjects, 'intruder'] as const

/** Milliseconds that an end may take while the controllers work and reach their API server: less than their longest back-off. */
const promptly = 4_000
/** The same after they were stopped or cut off: the longest back-off of a grant, and some. */
const afterTrouble = 9_000
/** Until nothing carries a grant that is over, milliseconds; what it gives is gone before. */
const tidied = 30_000
/** Milliseconds; a grant that asks for more must never be issued. */
export const longestGrant = 4_000
/** Where the clock of the operator is ahead, ends are counted from the Date of the API server, which has no fractions. */
const wholeSecond = 1_000
/** The default of controllers, and of the chart. */
const poolSize = 256
const lapse = '/apis/lapse.dev/v1alpha1'

/** What was driven, so that a run that did nothing does not pass for one that found nothing. */
export interface Tally {
  readonly done: Map<string, number>
  allowed: number
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
  readonly tally: Tally
  readonly #fixture: ControllersFixture
  readonly #proxy: FaultProxy
  readonly #takenByOthers: readonly object[]
  readonly #wall = new MovableClock()
  #running: RunningControllers | null = null
  #isDead = false
  #calmSince = 0
  #isCalm = false
  #names = 0
  #version = 1

  private constructor({ fixture, tally, share }: WorldParts, scene: Scene, proxy: FaultProxy, model: GrantModel) {
    this.#fixture = fixture
    this.#takenByOthers = namesOutside(share)
    this.scene = scene
    this.#proxy = proxy
    this.model = model
    this.admin = fixture.controlPlane.admin
    this.tally = tally
  }

  /** Resolves when grants are issued in it. */
  static async set(parts: WorldParts): Promise<GrantWorld> {
    const { controlPlane } = parts.fixture
    await loadConditionEngine()
    const scene = await Scene.set(controlPlane, null)
    const model = new GrantModel({ version: 1, needsApproval: false }, subjects)
    const world = new GrantWorld(parts, scene, await FaultProxy.start(controlPlane), model)
    await Promise.all(
      subjects.map((name) => world.admin.create(paths.serviceAccounts(scene.namespace), { metadata: { name } })),
    )
    await world.applyPolicy({ version: 1, needsApproval: false })
    await world.startControllers()
    await scene.policyIs('True')
    return world
  }

  usernameOf(somebody: string): string {
    return serviceAccountUsername(this.scene.namespace, somebody)
  }

  nextName(): string {
    return `g${(this.#names += 1)}`
  }

  nextVersion(): number {
    return (this.#version += 1)
  }

  applyPolicy({ version, needsApproval }: ModelPolicy): Promise<KubeObject> {
    const namespaceSelector = { matchLabels: { policy: this.scene.policy } }
    const by = ['ana', 'asker'].map((name) => ({ kind: 'User', name }))
    return this.scene.applyPolicy({
      version: `1.0.${version}`,
      subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: subjects }],
      permissions: [
        { name: 'rollout', rules: rules.rollout },
        { name: 'read-pods', rules: rules.readPods },
      ],
      workloads: { podSecurity: { level: 'baseline' } },
      grants: {
        maxDuration: '1h',
        maxActivePerSubject: 100,
        requesters: [{ kind: 'User', name: 'asker' }],
        waivable: ['host-path'],
        approval: { required: needsApproval ? 1 : 0, by },
        breakGlass: {
          requesters: [{ kind: 'User', name: 'asker' }],
          maxDuration: '1h',
          reviewWithin: '1h',
          reviewers: by,
        },
      },
    })
  }

  /** As whoever that is; of the grant as it is stored, under the policy as it is stored. */
  async say(name: string, approver: string, decision: 'Approve' | 'Deny'): Promise<void> {
    const grant = await this.scene.grant(name)
    const policy = parseAccessPolicy(await this.admin.get(`${paths.policies}/${this.scene.policy}`))
    if (!policy.ok) throw new Error('the policy cannot be read')
    await this.admin.create(`${lapse}/namespaces/${this.scene.namespace}/nhigrantapprovals`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrantApproval',
      metadata: { generateName: `${name}-` },
      spec: {
        grant: { name, uid: grant.metadata!.uid },
        grantDigest: grantDigestOf(grant['spec'] as NHIGrantSpec, policy.value.digest),
        decision,
        reason: 'a test',
        approver,
      },
    })
  }

  async suspend(subject: string): Promise<void> {
    await this.admin.create(`${lapse}/nhisuspensions`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHISuspension',
      metadata: { name: suspensionOf(subject, this.scene.namespace) },
      spec: { subject: { kind: 'ServiceAccount', namespace: this.scene.namespace, name: subject }, reason: 'a test' },
    })
  }

  async lift(subject: string): Promise<void> {
    await this.admin.delete(`${lapse}/nhisuspensions/${suspensionOf(subject, this.scene.namespace)}`)
  }

  /** Another one than there was. */
  async startTask(): Promise<void> {
    if ((await getOrNull(this.admin, `${this.#jobs}/task`)) !== null) await this.endTask(true)
    await this.admin.create(this.#jobs, jobOf('task'))
  }

  async endTask(isDeleted: boolean): Promise<void> {
    if (isDeleted) await this.admin.delete(`${this.#jobs}/task`)
    else await this.admin.patch(`${this.#jobs}/task/status`, { status: succeeded })
  }

  get #jobs(): string {
    return `/apis/batch/v1/namespaces/${this.scene.namespace}/jobs`
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

  /** Whether subject and record are as the model allows; fails with what is not. */
  async look(): Promise<void> {
    const asked = Date.now()
    const questions = everybody.flatMap((who) => rights.map((right) => ({ who, right })))
    const answers = await Promise.all(questions.map(({ who, right }) => this.#allows(who, right)))
    this.tally.looks += 1
    await this.read()
    for (const [index, { who, right }] of questions.entries()) {
      if (answers[index] !== true) continue
      this.tally.allowed += 1
      const problem = this.model.whyNot(who, right, asked, (end) => this.#deadlineOf(end))
      if (problem !== null) throw new Error(`${who} may ${right}: ${problem}`)
    }
  }

  /** Takes in what is on record: what is done next finds it so. */
  async read(): Promise<void> {
    const grants = await this.admin.list(paths.grants(this.scene.namespace))
    const answered = Date.now()
    const isAhead = this.#wall.now() > answered
    const problems = this.model.read(grants.map(readingOf), answered, answered + (isAhead ? wholeSecond : 0))
    if (problems.length > 0) throw new Error(problems.join('; '))
  }

  /** The worst is over: in the end nothing is left, and what is asked for then is given and taken as ever. */
  async expectTheEnd(): Promise<void> {
    const { scene, model } = this
    await this.startControllers()
    const deadline = Date.now() + longestGrant + tidied
    while (!(await this.#isEmpty())) {
      if (Date.now() > deadline) throw new Error('what carries grants is left, and all of them are over')
      await delay(100)
    }
    for (const subject of subjects) if (model.isSuspended(subject)) await this.lift(subject)
    await this.admin.patch(`/api/v1/namespaces/${scene.namespace}`, { metadata: { labels: { policy: scene.policy } } })
    if (!model.isThere('a'))
      await this.admin.create(paths.serviceAccounts(scene.namespace), { metadata: { name: 'a' } })
    await this.applyPolicy({ version: 1_000, needsApproval: false })
    await scene.policyIs('True')
    this.#wall.move(Date.now() - this.#wall.now())
    await this.startControllers() // who has heard another time would go on by that
    await scene.ask('last', { ...this.askedBy('asker', 'a'), duration: '1s' })
    await scene.ends('last', 'Expired')
  }

  async close(): Promise<void> {
    await this.#running?.stop()
    await this.#proxy.close()
    for (const subject of subjects)
      if (
        (await getOrNull(this.admin, `${lapse}/nhisuspensions/${suspensionOf(subject, this.scene.namespace)}`)) !== null
      )
        await this.lift(subject)
  }

  askedBy(requestedBy: string, subject: string): Readonly<Record<string, unknown>> {
    return { requestedBy, subject: { kind: 'ServiceAccount', namespace: this.scene.namespace, name: subject } }
  }

  /** Whether nobody may do anything and nothing carries a grant any more. */
  async #isEmpty(): Promise<boolean> {
    await this.look()
    const answers = await Promise.all(everybody.flatMap((who) => rights.map((right) => this.#allows(who, right))))
    const carriers = [...(await this.scene.roleBindings()), ...(await this.scene.roles())]
    // what somebody else left behind may stay, while it gives nothing
    const left = carriers.filter(({ metadata }) => metadata!.name!.startsWith('lapse-'))
    return !answers.includes(true) && left.length === 0
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

  async #allows(who: string, right: Right): Promise<boolean> {
    const [verb, resource = ''] = right.split(' ')
    const group = resource === 'deployments' ? 'apps' : ''
    const review = await this.admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: {
        user: this.usernameOf(who),
        resourceAttributes: { namespace: this.scene.namespace, verb, group, resource },
      },
    })
    return review['status'].allowed === true
  }
}

/** The name of the suspension of a subject in that namespace. */
const suspensionOf = (subject: string, namespace: string): string => `${namespace}-${subject}`

/** As roles, the names of the pool that are not in that share. */
function namesOutside({ index, of }: WorldParts['share']): readonly object[] {
  const names = Array.from({ length: poolSize }, (_, place) => place).filter((place) => place % of !== index)
  return names.map((place) => ({ metadata: { name: `lapse-set-${place}` } }))
}

function readingOf({ metadata, status }: KubeObject): GrantReading {
  const notAfter = Date.parse((status?.notAfter as string | undefined) ?? '')
  const state = (status?.state as string | undefined) ?? 'Pending'
  return { uid: metadata!.uid!, state, notAfter: Number.isNaN(notAfter) ? null : notAfter }
}
