import * as fc from 'fast-check'

import type { ControllersFixture } from './controllers-fixture.ts'
import { lives } from './grant-commands.ts'
import { GrantWorld, type Tally } from './grant-world.ts'

export interface ModelRun {
  readonly seed: number
  /** Of lives that are driven one after another in each lane. */
  readonly runs: number
  /** Side by side. Each has a seed of its own: `seed`, and those that follow. */
  readonly lanes: number
  /** In one life. */
  readonly commands: number
}

/** Drives the control plane and the model of it through random lives. Fails with the seed of one in which they do not agree. */
export async function driveModel(
  fixture: ControllersFixture,
  { seed, runs, lanes, commands }: ModelRun,
): Promise<Tally> {
  const tally: Tally = { done: new Map(), allowed: 0, looks: 0 }
  const lane = (index: number): Promise<void> =>
    fc.assert(
      fc.asyncProperty(lives(commands), async (life) => {
        const world = await GrantWorld.set({ fixture, tally, share: { index, of: lanes } })
        try {
          await fc.asyncModelRun(() => ({ model: {}, real: world }), life)
          await world.expectTheEnd()
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
