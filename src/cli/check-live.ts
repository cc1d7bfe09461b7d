import { loadConnection } from '../cluster/connection.ts'
import { ClusterError, Forbidden, NotFound, Unauthorized, Unavailable, Unreachable } from '../cluster/errors.ts'
import { listAll } from '../cluster/paged-list.ts'
import type { ResourceType } from '../cluster/resources.ts'
import { Transport } from '../cluster/transport.ts'
import { loadConditionEngine } from '../core/cel/engine.ts'
import type { Millis } from '../core/time.ts'
import { systemClock } from '../runtime/clock.ts'
import { WorldIndex, type WorldKind } from '../world/world-index.ts'
import { worldResources } from '../world/world-resources.ts'
import type { Worlds } from './check-world.ts'
import type { Progress } from './progress.ts'
import { packageVersion } from './version.ts'

export type LiveReading =
  | { readonly ok: true; readonly worlds: Worlds }
  /** One line for each list that could not be had. */
  | { readonly ok: false; readonly failures: readonly string[] }

/** Retries included: somebody waits at a terminal. */
const patience = { first: 3_000, page: 10_000 } as const satisfies Readonly<Record<string, Millis>>

/**
 * Everything that decisions look at, as the cluster has it; nothing is written. `kubeconfig` null: where kubectl looks.
 * Throws NoConnection when there is no way to any cluster.
 */
export async function readLiveWorlds(kubeconfig: string | null, progress: Progress): Promise<LiveReading> {
  const clock = systemClock
  const connection = await loadConnection({ kubeconfig, clock })
  const userAgent = `lapse-check/${packageVersion()}`
  const transport = new Transport({ connection, clock, random: Math.random, userAgent, mayWrite: () => false })
  try {
    await loadConditionEngine()
    const failure = await greet(transport)
    return failure === null ? await listWorld(transport, progress) : { ok: false, failures: [failure] }
  } finally {
    await transport.close()
  }
}

/** Why there is no use in asking for more; null: somebody answers. */
async function greet(transport: Transport): Promise<string | null> {
  try {
    await transport.call('GET', '/version', undefined, { timeout: patience.first })
    return null
  } catch (error) {
    if (error instanceof Unauthorized) return `does not know who asks: ${error.message}`
    if (error instanceof Unreachable || error instanceof Unavailable) return `cannot be reached: ${error.message}`
    if (error instanceof ClusterError) return null
    throw error
  }
}

async function listWorld(transport: Transport, progress: Progress): Promise<LiveReading> {
  const worlds: Worlds = { world: new WorldIndex(), before: new WorldIndex() }
  const failures: string[] = []
  const take = async (kind: WorldKind, type: ResourceType): Promise<void> => {
    try {
      const { items } = await listAll(transport, type, {}, { timeout: patience.page })
      for (const world of [worlds.world, worlds.before]) for (const item of items) world.put(kind, item)
      progress.at(() => `read ${type.plural} of the cluster`)
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error
      failures.push(failureOf(type, error))
    }
  }
  const { NHIGrant, ClusterNHIGrant, ...before } = worldResources
  await Promise.all((Object.entries(before) as [WorldKind, ResourceType][]).map(([kind, type]) => take(kind, type)))
  // Grants come last: one that was issued meanwhile is known to own its binding.
  if (failures.length === 0) await Promise.all([take('NHIGrant', NHIGrant), take('ClusterNHIGrant', ClusterNHIGrant)])
  return failures.length === 0 ? { ok: true, worlds } : { ok: false, failures: failures.sort() }
}

function failureOf({ plural, group }: ResourceType, error: ClusterError): string {
  const name = group === '' ? plural : `${plural}.${group}`
  if (error instanceof Forbidden) return `forbids to list ${name}: ${error.message}`
  if (error instanceof NotFound) return `does not serve ${name}: install the CRDs with lapse install crds`
  return `cannot list ${name}: ${error.message}`
}
