import * as fc from 'fast-check'

import { signs, type Sign } from './asked-grant.ts'
import type { GrantCommand } from './grant-tampering.ts'
import type { GrantWorld } from './grant-world.ts'
import { paths } from './scene.ts'
import { subjects } from './world-people.ts'

const someone = fc.constantFrom(...subjects)
const plain = { needsApproval: false, isWide: true } as const
const versions = {
  'a new version': plain,
  'a new version, which needs approval': { ...plain, needsApproval: true },
  'a new version, for namespaces only': { ...plain, isWide: false },
} as const

/** What grants rest on, turned from how they need it to how they do not, and back. */
export const editPolicy = fc.constantFrom('a new version', ...Object.keys(versions)).map((name): GrantCommand => ({
  name,
  details: '',
  act: (world) => apply(world, versions[name as keyof typeof versions]),
}))

export const withdraw: GrantCommand = {
  name: 'withdraw the policy',
  details: '',
  isPossible: ({ policy }) => policy !== null,
  async act({ scene, admin, model }) {
    await admin.delete(`${paths.policies}/${scene.policy}`)
    model.policyIs(null, Date.now())
  },
}

export const account = fc.tuple(someone, fc.boolean()).map(([subject, isReplaced]): GrantCommand => ({
  name: isReplaced ? 'create a subject again' : 'delete a subject, or create it',
  details: subject,
  async act(world) {
    const { scene, admin, model } = world
    if (!model.isThere(subject)) return create(world, subject)
    await admin.delete(`${paths.serviceAccounts(scene.namespace)}/${subject}`)
    model.subjectIs(subject, 'gone', Date.now())
    if (isReplaced) await create(world, subject)
  },
}))

export const relabel: GrantCommand = { name: 'relabel the namespace', details: '', act: turnScope }

export const sign = fc.constantFrom(...signs).map((each): GrantCommand => ({
  name: `begin the ${each}, or end it`,
  details: '',
  act: (world) => turnSign(world, each),
}))

export const suspension = someone.map((subject): GrantCommand => ({
  name: 'suspend, or lift it',
  details: subject,
  act: (world) => turnSuspension(world, subject),
}))

export const task = fc.boolean().map((isDeleted): GrantCommand => ({
  name: 'start the task, or end it',
  details: isDeleted ? 'by its deletion' : 'by its success',
  async act(world) {
    if (!world.model.hasTask) return startTask(world)
    await world.people.endTask(isDeleted)
    world.model.taskIs('over', Date.now())
  },
}))

/** Nothing stands against grants any more: what is asked for next is given. */
export const mend: GrantCommand = {
  name: 'all is well again',
  details: '',
  async act(world) {
    const { model } = world
    await world.startAfresh()
    for (const each of signs) if (model.isUp(each)) await turnSign(world, each)
    if (!model.inScope) await turnScope(world)
    for (const subject of subjects) {
      if (model.isSuspended(subject)) await turnSuspension(world, subject)
      if (!model.isThere(subject)) await create(world, subject)
    }
    if (model.policy === null) await apply(world, plain)
    if (!model.hasTask) await startTask(world)
  },
}

/** What ends all that it concerns and that lives still, when a life is over; by its name. */
export const lastTurns: Readonly<Record<string, (world: GrantWorld) => Promise<void>>> = {
  'in an incident': (world) => beginSign(world, 'incident'),
  'in a freeze': (world) => beginSign(world, 'freeze'),
  'in a rush': (world) => beginSign(world, 'rush'),
  'out of scope': async (world) => (world.model.inScope ? turnScope(world) : undefined),
  'with a suspension': async (world) => (world.model.isSuspended('a') ? undefined : turnSuspension(world, 'a')),
  'under another version': (world) => apply(world, plain),
}

async function beginSign(world: GrantWorld, each: Sign): Promise<void> {
  if (!world.model.isUp(each)) await turnSign(world, each)
}

async function apply(world: GrantWorld, terms: (typeof versions)[keyof typeof versions]): Promise<void> {
  const policy = { version: world.nextVersion(), ...terms }
  await world.people.applyPolicy(policy)
  world.model.policyIs(policy, Date.now())
}

async function create({ scene, admin, model }: GrantWorld, subject: string): Promise<void> {
  await admin.create(paths.serviceAccounts(scene.namespace), { metadata: { name: subject } })
  model.subjectIs(subject, 'there', Date.now())
}

async function turnScope({ scene, people, model }: GrantWorld): Promise<void> {
  await people.label({ policy: model.inScope ? 'another' : scene.policy })
  model.scopeIs(!model.inScope, Date.now())
}

async function turnSign({ people, model }: GrantWorld, each: Sign): Promise<void> {
  const isUp = model.isUp(each)
  await people.label({ [each]: isUp ? null : 'yes' })
  model.signIs(each, isUp ? 'down' : 'up', Date.now())
}

async function turnSuspension({ people, model }: GrantWorld, subject: string): Promise<void> {
  const isSet = model.isSuspended(subject)
  await (isSet ? people.lift(subject) : people.suspend(subject))
  model.suspensionIs(subject, isSet ? 'lifted' : 'set', Date.now())
}

async function startTask({ people, model }: GrantWorld): Promise<void> {
  await people.startTask()
  model.taskIs('there', Date.now())
}
