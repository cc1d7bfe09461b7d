import * as fc from 'fast-check'

import { ControllersFixture } from './controllers-fixture.ts'
import { lives } from './grant-commands.ts'
import { GrantWorld, type Tally } from './grant-world.ts'
import { lastTurns } from './world-turns.ts'

export interface ModelRun {
  readonly seed: number
  /** Of lives that are driven one after another in each lane. */
  readonly runs: number
  /** Side by side. Each has a seed of its own: `seed`, and those that follow. */
  readonly lanes: number
  /** In one life. */
  readonly commands: number
}

/** A control plane with all that is driven. */
export async function startModelFixture(): Promise<ControllersFixture> {
  const fixture = await ControllersFixture.start({ clusterGrants: { enabled: true } })
  // so that its garbage collector knows the kinds of the chart from the start
  const manager = fixture.controlPlane.part('kube-controller-manager')
  await manager.kill()
  await manager.restart()
  return fixture
}

/** Drives the control plane and the model of it through random lives. Fails with the seed of one in which they do not agree. */
export async function driveModel(
  fixture: ControllersFixture,
  { seed, runs, lanes, commands }: ModelRun,
): Promise<Tally> {
  const tally: Tally = { done: new Map(), allowed: new Map(), looks: 0 }
  const lane = (index: number): Promise<void> =>
    fc.assert(
      fc.asyncProperty(lives(commands), fc.constantFrom(...Object.keys(lastTurns)), async (life, end) => {
        const world = await GrantWorld.set({ fixture, tally, share: { index, of: lanes } })
        try {
          await fc.asyncModelRun(() => ({ model: {}, real: world }), life)
          await world.expectTheEnd(lastTurns[end]!)
          tally.done.set(`end ${end}`, (tally.done.get(`end ${end}`) ?? 0) + 1)
        } finally {
          await world.close()
        }
      }),
      // a life is not made shorter: that takes as long as many lives, and what happens at once happens in another way
      { seed: seed + index, numRuns: runs, endOnFailure: true },
    )
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, (_, index) => lane(index)))
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as Error)
  if (failures.length > 0) throw new Error(failures.map(inWords).join('\n\n'), { cause: failures[0] })
  return tally
}

function inWords({ message, cause }: Error): string {
  const [, seed = '', life = ''] = message.split('\n')
  return `${(cause as Error | undefined)?.message ?? ''}\n${seed}\n${life}`
}
