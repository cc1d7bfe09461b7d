import { setTimeout as delay } from 'node:timers/promises'

import * as fc from 'fast-check'

import type { AskedGrant, Right } from './grant-model.ts'
import { bindPool, tamper, widenRole, type GrantCommand } from './grant-tampering.ts'
import { longestGrant, subjects, type GrantWorld } from './grant-world.ts'
import { paths, rules } from './scene.ts'

interface Shape {
  readonly asks: Readonly<Record<string, unknown>>
  readonly rights: readonly Right[]
  readonly isProper: boolean
  readonly hasTask?: boolean
  readonly isEmergency?: boolean
}

const day = 86_400_000
const narrower = [{ ...rules.rollout[0], verbs: ['get'] }]
const wider = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]
const rollout: readonly Right[] = ['patch deployments', 'get deployments']

const proper: Readonly<Record<string, Shape>> = {
  'a set': { asks: {}, rights: rollout, isProper: true },
  'two sets': { asks: { permissions: ['rollout', 'read-pods'] }, rights: [...rollout, 'get pods'], isProper: true },
  'narrower rules': { asks: { rules: narrower }, rights: ['get deployments'], isProper: true },
  'a set, until a task is over': {
    asks: { until: { kind: 'Job', name: 'task' } },
    rights: rollout,
    isProper: true,
    hasTask: true,
  },
  'a set, in an emergency': {
    asks: { breakGlass: { incident: 'INC-1' } },
    rights: rollout,
    isProper: true,
    isEmergency: true,
  },
  'a set and a waiver': { asks: { waive: ['host-path'] }, rights: rollout, isProper: true },
}
const improper: Readonly<Record<string, Shape>> = {
  'wider rules': { asks: { rules: wider }, rights: ['get secrets'], isProper: false },
  'a set that there is not': { asks: { permissions: ['admin'] }, rights: rollout, isProper: false },
  'a waiver that there is not': { asks: { waive: ['privileged'] }, rights: rollout, isProper: false },
  'two hours': { asks: { duration: '2h' }, rights: rollout, isProper: false },
  'a set, for a stranger': { asks: { requestedBy: 'stranger' }, rights: rollout, isProper: false },
}
const shapes: Readonly<Record<string, Shape>> = { ...proper, ...improper }

const ask = fc
  .record({
    subject: fc.constantFrom('a', 'a', 'a', 'b', 'b', 'intruder'),
    shape: fc.constantFrom(...Object.keys(proper), ...Object.keys(proper), ...Object.keys(improper)),
    millis: fc.integer({ min: 1, max: longestGrant / 1_000 }).map((seconds) => seconds * 1_000),
    isAbsolute: fc.boolean(),
  })
  .map(({ subject, shape, millis, isAbsolute }): GrantCommand => {
    const { asks, hasTask = false, isEmergency = false, ...gives } = shapes[shape]!
    return {
      name: gives.isProper ? `ask${hasTask ? ' until' : isEmergency ? ' in an emergency' : ''}` : 'ask for too much',
      details: `${shape} for ${subject}, ${isAbsolute ? 'until' : 'for'} ${millis} ms`,
      async act(world) {
        const { scene, model } = world
        const name = world.nextName()
        const at = Math.ceil((Date.now() + millis) / 1_000) * 1_000
        const window = isAbsolute ? { notAfter: new Date(at).toISOString() } : { duration: `${millis / 1_000}s` }
        const spec = { ...world.askedBy('asker', subject), ...('duration' in asks ? {} : window), ...asks }
        const asked = Date.now()
        const uid = await scene.ask(name, spec)
        const end = isAbsolute ? { at } : { after: millis }
        const isProper = gives.isProper && subject !== 'intruder'
        model.asked({ uid, name, subject, rights: gives.rights, isProper, hasTask, isEmergency, end }, asked)
      },
    }
  })

/** One of those that were asked for, the newest more often. */
const place = fc.constantFrom(0, 0, 0, 1, 1, 2, 3)

function concerning(
  name: string,
  details: string,
  back: number,
  act: (grant: AskedGrant, world: GrantWorld) => Promise<void>,
): GrantCommand {
  return {
    name,
    details: `${details}${back} before the newest`,
    isPossible: ({ grants }) => grants.length > back,
    act: (world) => act(world.model.grants.at(-1 - back)!, world),
  }
}

const say = fc
  .record({
    back: place,
    approver: fc.constantFrom('ana', 'ana', 'asker', 'subject', 'stranger'),
    decision: fc.constantFrom('Approve' as const, 'Approve' as const, 'Deny' as const),
  })
  .map(({ back, approver, decision }) =>
    concerning(`${decision} by ${approver}`, '', back, async ({ uid, name, subject }, world) => {
      if (world.model.policy === null) return
      const username = approver === 'subject' ? world.usernameOf(subject) : approver
      await world.say(name, username, decision)
      if (approver === 'ana') world.model.said(uid, decision, Date.now())
    }),
  )

const revoke = place.map((back) =>
  concerning('revoke', '', back, async ({ uid, name }, { scene, model }) => {
    await scene.revoke(name)
    model.revoked(uid, Date.now())
  }),
)

const remove = place.map((back) =>
  concerning('delete', '', back, async ({ uid, name }, { scene, admin, model }) => {
    await admin.delete(`${paths.grants(scene.namespace)}/${name}`)
    model.deleted(uid, Date.now())
  }),
)

const editPolicy = fc.boolean().map((needsApproval): GrantCommand => ({
  name: needsApproval ? 'a new version, which needs approval' : 'a new version',
  details: '',
  async act(world) {
    const policy = { version: world.nextVersion(), needsApproval }
    await world.applyPolicy(policy)
    world.model.policyIs(policy, Date.now())
  },
}))

const withdraw: GrantCommand = {
  name: 'withdraw the policy',
  details: '',
  isPossible: ({ policy }) => policy !== null,
  async act({ scene, admin, model }) {
    await admin.delete(`${paths.policies}/${scene.policy}`)
    model.policyIs(null, Date.now())
  },
}

const someone = fc.constantFrom(...subjects)

const account = fc.tuple(someone, fc.boolean()).map(([subject, isReplaced]): GrantCommand => ({
  name: isReplaced ? 'create a subject again' : 'delete a subject, or create it',
  details: subject,
  async act({ scene, admin, model }) {
    const accounts = paths.serviceAccounts(scene.namespace)
    if (model.isThere(subject)) {
      await admin.delete(`${accounts}/${subject}`)
      model.subjectIs(subject, 'gone', Date.now())
      if (!isReplaced) return
    }
    await admin.create(accounts, { metadata: { name: subject } })
    model.subjectIs(subject, 'there', Date.now())
  },
}))

const relabel: GrantCommand = {
  name: 'relabel the namespace',
  details: '',
  async act({ scene, admin, model }) {
    const policy = model.inScope ? 'another' : scene.policy
    await admin.patch(`/api/v1/namespaces/${scene.namespace}`, { metadata: { labels: { policy } } })
    model.scopeIs(!model.inScope, Date.now())
  },
}

const suspension = someone.map((subject): GrantCommand => ({
  name: 'suspend, or lift it',
  details: subject,
  async act(world) {
    const isSet = world.model.isSuspended(subject)
    await (isSet ? world.lift(subject) : world.suspend(subject))
    world.model.suspensionIs(subject, isSet ? 'lifted' : 'set', Date.now())
  },
}))

const task = fc.boolean().map((isDeleted): GrantCommand => ({
  name: 'start the task, or end it',
  details: isDeleted ? 'by its deletion' : 'by its success',
  async act(world) {
    if (!world.model.hasTask) await world.startTask()
    else await world.endTask(isDeleted)
    world.model.taskIs(world.model.hasTask ? 'over' : 'there', Date.now())
  },
}))

const stop = fc.constantFrom('in peace' as const, 'crashing' as const).map((how): GrantCommand => ({
  name: `stop the controllers ${how}`,
  details: '',
  isPossible: (_, isRunning) => isRunning,
  act: (world) => world.stopControllers(how),
}))

const start: GrantCommand = {
  name: 'start the controllers',
  details: '',
  isPossible: (_, isRunning) => !isRunning,
  act: (world) => world.startControllers(),
}

const jump = fc.constantFrom(-day, -3_600_000, -2_000, 2_000, 3_600_000).map((by): GrantCommand => ({
  name: `the clock jumps ${by < 0 ? 'back' : 'forward'}`,
  details: `${by} ms`,
  act: async (world) => world.moveClock(by),
}))

const partition = fc.integer({ min: 300, max: 1_800 }).map((millis): GrantCommand => ({
  name: 'partition',
  details: `${millis} ms`,
  isPossible: (_, isRunning) => isRunning,
  act: (world) => world.partition(millis),
}))

const wait = fc
  .integer({ min: 200, max: 2_500 })
  .map((millis): GrantCommand => ({ name: 'wait', details: `${millis} ms`, act: () => delay(millis) }))

/** Each with its weight. What is there for several is asked for often, so that the others find something to do. */
const kinds: readonly (readonly [weight: number, fc.Arbitrary<GrantCommand>])[] = [
  [14, ask],
  [3, say],
  [1, revoke],
  [1, remove],
  [2, tamper],
  [1, fc.constant(bindPool)],
  [1, fc.constant(widenRole)],
  [2, editPolicy],
  [1, fc.constant(withdraw)],
  [1, account],
  [1, fc.constant(relabel)],
  [1, suspension],
  [3, task],
  [2, stop],
  [3, fc.constant(start)],
  [1, jump],
  [1, partition],
  [3, wait],
]

type Life = Iterable<fc.AsyncCommand<object, GrantWorld>>

/** A command, and after it whether everything is as the model of the world allows, which is in the world. */
class Drive implements fc.AsyncCommand<object, GrantWorld> {
  readonly #command: GrantCommand

  constructor(command: GrantCommand) {
    this.#command = command
  }

  /** What is possible is known only when it is to be done. */
  check(): boolean {
    return true
  }

  async run(_: object, world: GrantWorld): Promise<void> {
    const { name, isPossible, act } = this.#command
    if (isPossible?.(world.model, world.isRunning) === false) return
    await world.read()
    await act(world)
    world.tally.done.set(name, (world.tally.done.get(name) ?? 0) + 1)
    await world.look()
  }

  toString(): string {
    return `${this.#command.name} ${this.#command.details}`.trim()
  }
}

/** Lives of a world, of that many commands at most. */
export function lives(most: number): fc.Arbitrary<Life> {
  const every = kinds.flatMap(([weight, arbitrary]) =>
    Array.from({ length: weight }, () => arbitrary.map((command) => new Drive(command))),
  )
  return fc.commands(every, { maxCommands: most, size: 'max' })
}
