import type { CallLimit, ClusterClient } from '../../cluster/ports.ts'
import type { Instant, Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'

/** What it takes to give an access, and to take it back. */
export type ObjectCalls = Pick<
  ClusterClient,
  'get' | 'list' | 'create' | 'createSubresource' | 'replace' | 'replaceStatus' | 'delete'
>

const longest: Millis = 10_000

/**
 * Calls that have ended by an instant, with an answer or without; from then on nothing is sent and they throw. Who waits for
 * an answer does not carry out the end of what is already there.
 */
export function callsUntil(end: Instant, client: ObjectCalls, clock: Clock): ObjectCalls {
  const limit = (): CallLimit => {
    const left = end - clock.now()
    if (left <= 0) throw new Error('not sent: the grant has come to its end')
    return { timeout: Math.min(left, longest) }
  }
  return {
    get: async (type, key) => client.get(type, key, limit()),
    list: async (type, options) => within(limit(), client.list(type, options), clock),
    create: async (type, object) => client.create(type, object, limit()),
    createSubresource: async (type, key, subresource, object) =>
      client.createSubresource(type, key, subresource, object, limit()),
    replace: async (type, object) => client.replace(type, object, limit()),
    replaceStatus: async (type, object, status) => client.replaceStatus(type, object, status, limit()),
    delete: async (type, key, options) => client.delete(type, key, { ...options, ...limit() }),
  }
}

/** A list is made of several calls, each with a limit of its own: nobody waits for the rest of them. */
async function within<T>({ timeout = longest }: CallLimit, listed: Promise<T>, clock: Clock): Promise<T> {
  const late = Promise.withResolvers<never>()
  const callOff = clock.after(timeout, () => late.reject(new Error('a list did not end in time')))
  try {
    return await Promise.race([listed, late.promise])
  } finally {
    callOff()
  }
}
