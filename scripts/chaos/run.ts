import { setTimeout as delay } from 'node:timers/promises'

import type { ControlPlane } from '../../test/support/control-plane.ts'
import { freePort } from '../../test/support/free-port.ts'
import { startPod, type Pod } from '../../test/support/pod.ts'
import { listGrants, hasEnded } from '../soak/churn.ts'
import { Dice } from '../soak/dice.ts'
import { Outages } from '../soak/outages.ts'
import { Stage } from '../soak/stage.ts'
import { listCarriers } from '../soak/watchman.ts'
import { Churn, lifetime } from './churn.ts'
import { Prober, type Findings } from './prober.ts'
import { revocationBound, Troubles } from './troubles.ts'

export const victims = ['controller', 'webhook', 'kube-apiserver', 'etcd'] as const
export type Victim = (typeof victims)[number]

/** At the end nothing is killed: everything must come to its end in that time. */
export const calm = revocationBound + lifetime.most * 1_000
/** Between two kills, milliseconds. */
const pause = { least: 1_000, most: 6_000 } as const

/** How long, and with which seed. */
export interface ChaosCourse {
  readonly millis: number
  readonly seed: number
}

export interface ChaosOutcome extends Findings {
  readonly asked: number
  readonly refused: number
  readonly policyVersions: number
  readonly kills: Readonly<Record<Victim, number>>
  /** Ends of processes that nothing done here explains. */
  readonly crashes: readonly string[]
  /** What had not ended in the end, or carries a grant still, in words. */
  readonly leftovers: readonly string[]
}

/** Lapse as its chart installs it, its processes and the control plane's killed at random under churn. Leaves nothing running. */
export async function chaos({ millis, seed }: ChaosCourse): Promise<ChaosOutcome> {
  const stage = await Stage.set(new Outages())
  let reaper: Pod | null = null
  try {
    const { admin } = stage.controlPlane
    reaper = await startReaper(stage.controlPlane)
    const troubles = new Troubles()
    const churn = await Churn.prepare(stage.controlPlane, new Dice(seed + 1))
    const prober = new Prober({ admin, namespace: churn.namespace, asked: churn.asked, troubles })
    const start = Date.now()
    for (const part of [churn, prober]) part.start()
    const enough = new AbortController()
    const killing = killUntil(enough.signal, stage, troubles, new Dice(seed))
    await delay(Math.max(0, start + millis - calm - Date.now()))
    enough.abort()
    const kills = await killing
    await churn.stop()
    await untilOver(stage, Date.now() + calm)
    await prober.stop()
    const { refused, policyVersions, asked } = churn
    const leftovers = await leftoversOf(stage)
    const { crashes } = stage
    return { asked: asked.length, refused, policyVersions, kills, crashes, leftovers, ...prober.findings }
  } finally {
    await reaper?.kill()
    await stage.stop()
  }
}

async function startReaper(controlPlane: ControlPlane): Promise<Pod> {
  const http = await freePort()
  const pod = await startPod({
    controlPlane,
    namespace: 'lapse-system',
    deployment: 'lapse-reaper',
    extraEnv: { LAPSE_HTTP_ADDRESS: `127.0.0.1:${http}` },
    localPorts: { 8080: http },
  })
  await pod.ready()
  return pod
}

/** In rounds, in each of which everybody's turn comes once, the first to its end. Resolves when all runs again. */
async function killUntil(
  signal: AbortSignal,
  stage: Stage,
  troubles: Troubles,
  dice: Dice,
): Promise<Readonly<Record<Victim, number>>> {
  const kills = { controller: 0, webhook: 0, 'kube-apiserver': 0, etcd: 0 }
  for (let coming: readonly Victim[] = []; ; coming = coming.slice(1)) {
    if (coming.length === 0) coming = dice.shuffled(victims)
    const goesOn = await delay(dice.between(pause.least, pause.most), true, { signal }).catch(() => false)
    if (!goesOn && victims.every((each) => kills[each] > 0)) return kills
    const victim = coming[0]!
    kills[victim] += 1
    await kill(victim, stage, troubles)
  }
}

async function kill(victim: Victim, stage: Stage, troubles: Troubles): Promise<void> {
  switch (victim) {
    case 'controller':
      await stage.kill('controller')
      return troubles.controllerKilled()
    case 'webhook':
      return stage.kill('webhook')
    case 'kube-apiserver':
    case 'etcd':
      return troubles.withoutApiServer(() => stage.controlPlane.part(victim).restart())
  }
}

/** Resolves when every grant has ended and nothing carries one, or when that takes for too long. */
async function untilOver(stage: Stage, deadline: number): Promise<void> {
  while (Date.now() < deadline) {
    const left = await leftoversOf(stage).catch(() => ['the API server does not answer'])
    if (left.length === 0) return
    await delay(500)
  }
}

async function leftoversOf({ controlPlane: { admin } }: Stage): Promise<readonly string[]> {
  const grants = (await listGrants(admin)).filter((grant) => !hasEnded(grant))
  const carriers = [...(await listCarriers(admin, 'rolebindings')), ...(await listCarriers(admin, 'roles'))]
  return [
    ...grants.map(({ metadata, status }) => `grant ${metadata?.name}, ${status?.state}`),
    ...carriers.map(({ metadata }) => `${metadata?.name}`),
  ]
}
