import { setTimeout as delay } from 'node:timers/promises'

import type { Dice } from './dice.ts'
import type { Outages } from './outages.ts'
import type { Stage } from './stage.ts'

/** Something that is broken for a while. */
export interface Fault {
  readonly name: string
  /** How long its consequences may last, in milliseconds: the longest back-off of a removal, and some. */
  readonly grace: number
  /** Breaks it, waits, and puts it right again. */
  strike(stage: Stage, dice: Dice): Promise<void>
}

const longestBackoff = 6_000

/** Such as the controller lives through. */
export const lightFaults: readonly Fault[] = [
  { name: 'reset', grace: longestBackoff, strike: async ({ proxy }) => proxy.link.reset() },
  {
    name: 'reset each 100 ms',
    grace: longestBackoff,
    async strike({ proxy }, dice) {
      const end = proxy.link.resetEvery(100)
      await delay(dice.between(2_000, 5_000))
      end()
    },
  },
  { name: 'stall', grace: longestBackoff, strike: (stage, dice) => stall(stage, dice.between(2_000, 5_000)) },
  {
    name: '429',
    grace: longestBackoff,
    async strike({ proxy }, dice) {
      const end = proxy.treat(() => true, { kind: 'throttle', retryAfterSeconds: 1 })
      await delay(dice.between(2_000, 5_000))
      end()
    },
  },
  {
    name: 'kube-apiserver killed',
    grace: longestBackoff,
    strike: ({ controlPlane }) => controlPlane.part('kube-apiserver').restart(),
  },
  { name: 'etcd paused', grace: longestBackoff, strike: (stage, dice) => pauseEtcd(stage, dice.between(2_000, 5_000)) },
  { name: 'webhook killed', grace: longestBackoff, strike: (stage) => stage.kill('webhook') },
]

/** Such as end it: by force, or by its lease running out. */
export const heavyFaults: readonly Fault[] = [
  { name: 'controller killed', grace: longestBackoff, strike: (stage) => stage.kill('controller') },
  {
    name: 'long stall',
    grace: longestBackoff,
    strike: (stage, dice) => stall(stage, dice.between(12_000, 25_000)),
  },
  {
    name: 'etcd paused for long',
    grace: longestBackoff,
    strike: (stage, dice) => pauseEtcd(stage, dice.between(12_000, 30_000)),
  },
]

async function stall({ proxy }: Stage, millis: number): Promise<void> {
  proxy.link.stall()
  await delay(millis)
  await proxy.link.goOn()
}

async function pauseEtcd({ controlPlane }: Stage, millis: number): Promise<void> {
  const etcd = controlPlane.part('etcd')
  etcd.pause()
  await delay(millis)
  etcd.resume()
}

export interface Misfortune {
  readonly stage: Stage
  readonly dice: Dice
  readonly outages: Outages
  readonly signal: AbortSignal
  readonly onFault: (name: string) => void
}

/** Faults one after another, with calm in between, until the signal: each heavy one once, then the light ones, all of them in every round. Resolves when nothing is broken any more. */
export async function strikeUntil({ stage, dice, outages, signal, onFault }: Misfortune): Promise<void> {
  for (let coming = [...dice.shuffled(heavyFaults)]; ;) {
    if (coming.length === 0) coming = [...dice.shuffled(lightFaults)]
    const fault = coming.shift()!
    const calm = await delay(dice.between(5_000, 15_000), true, { signal }).catch(() => false)
    if (!calm) return
    onFault(fault.name)
    const over = outages.begin(fault.grace)
    await fault.strike(stage, dice)
    over()
  }
}
