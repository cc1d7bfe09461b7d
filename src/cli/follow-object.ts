import { ClusterError } from '../cluster/errors.ts'
import { selectionPath } from '../cluster/paged-list.ts'
import type { KubeObject, ObjectKey } from '../cluster/ports.ts'
import type { ResourceType } from '../cluster/resources.ts'
import type { Millis } from '../core/time.ts'
import { sleep } from '../runtime/sleep.ts'
import type { ClusterSession } from './cluster-session.ts'

/** Between two looks where there is no watch: it may be forbidden, or has ended. */
const pause: Millis = 500
const idle: Millis = 60_000

interface WatchEvent {
  readonly type: string
  readonly object: KubeObject
}

/**
 * An object as it is now, and every newer form of it that is seen, until the signal is aborted; null once it is gone, and
 * nothing after that. Throws what its first reading throws; later failures are waited out.
 */
export async function* followObject(
  { client, transport, clock }: Pick<ClusterSession, 'client' | 'transport' | 'clock'>,
  type: ResourceType,
  key: ObjectKey,
  signal: AbortSignal,
): AsyncGenerator<KubeObject | null> {
  let last = await client.get(type, key)
  yield last
  while (last !== null && !signal.aborted) {
    try {
      const query = { watch: '1', resourceVersion: last.metadata.resourceVersion }
      const path = selectionPath(type, key, query)
      for await (const event of transport.watch(path, { idle, signal })) {
        const { type: what, object } = event as WatchEvent
        if (what === 'DELETED') return yield null
        if (what === 'ADDED' || what === 'MODIFIED') yield (last = object)
      }
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error
    }
    await sleep(clock, pause, signal)
    if (signal.aborted) return
    const seen = await readAgain(client, type, key, last)
    if (seen?.metadata.resourceVersion !== last.metadata.resourceVersion) yield (last = seen)
  }
}

/** What was seen last, when it cannot be read. */
async function readAgain(
  client: ClusterSession['client'],
  type: ResourceType,
  key: ObjectKey,
  last: KubeObject,
): Promise<KubeObject | null> {
  try {
    return await client.get(type, key)
  } catch (error) {
    if (error instanceof ClusterError) return last
    throw error
  }
}
