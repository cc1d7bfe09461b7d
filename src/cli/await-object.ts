import type { KubeObject, ObjectKey } from '../cluster/ports.ts'
import type { ResourceType } from '../cluster/resources.ts'
import type { Millis } from '../core/time.ts'
import type { ClusterSession } from './cluster-session.ts'
import { followObject } from './follow-object.ts'

/** How a wait ended. */
export interface Awaited {
  /** Whether `isDone` said so. */
  readonly done: boolean
  /** As it was seen last; null: it is gone. */
  readonly object: KubeObject | null
}

/** Waits until `isDone` says so of the object as the API server has it, or until the time is over. It is asked at least once. */
export async function awaitObject(
  session: ClusterSession,
  type: ResourceType,
  key: ObjectKey,
  wait: Millis,
  isDone: (object: KubeObject | null) => boolean,
): Promise<Awaited> {
  const ended = new AbortController()
  const cancel = session.clock.after(wait, () => ended.abort(new Error('waited long enough')))
  let seen: KubeObject | null = null
  try {
    for await (const object of followObject(session, type, key, ended.signal)) {
      seen = object
      if (isDone(object)) return { done: true, object }
    }
    return { done: false, object: seen }
  } finally {
    cancel()
    ended.abort()
  }
}
