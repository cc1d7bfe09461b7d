import { setTimeout as delay } from 'node:timers/promises'

import * as fc from 'fast-check'

import type { AskedGrant } from './asked-grant.ts'
import { ask } from './grant-shapes.ts'
import { bindPool, replaceIdentity, tamper, widenRole, type GrantCommand } from './grant-tampering.ts'
import type { GrantWorld } from './grant-world.ts'
import { account, editPolicy, mend, relabel, sign, suspension, task, withdraw } from './world-turns.ts'

const day = 86_400_000

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
    approver: fc.constantFrom('ana', 'ana', 'ana', 'asker', 'subject', 'stranger'),
    where: fc.constantFrom('there' as const, 'there' as const, 'there' as const, 'elsewhere' as const),
    decision: fc.constantFrom('Approve' as const, 'Approve' as const, 'Deny' as const),
  })
  .map(({ back, approver, where, decision }) =>
    concerning(`${decision} by ${approver}`, `${where}, `, back, async (grant, world) => {
      if (world.model.policy === null) return
      const username = approver === 'subject' ? world.people.usernameOf(grant.subject) : approver
      await world.people.say(grant, username, decision, where)
      if (approver === 'ana' && where === 'there') world.model.said(grant.uid, decision, Date.now())
    }),
  )

const revoke = place.map((back) =>
  concerning('revoke', '', back, async (grant, world) => {
    await world.people.revoke(grant)
    world.model.revoked(grant.uid, Date.now())
  }),
)

const remove = place.map((back) =>
  concerning('delete', '', back, async (grant, world) => {
    await world.admin.delete(world.people.pathOf(grant))
    world.model.deleted(grant.uid, Date.now())
  }),
)

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
  [1, fc.constant(replaceIdentity)],
  [2, editPolicy],
  [1, fc.constant(withdraw)],
  [1, account],
  [1, fc.constant(relabel)],
  [4, sign],
  [5, fc.constant(mend)],
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
