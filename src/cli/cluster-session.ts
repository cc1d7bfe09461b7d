import { KubeClient } from '../cluster/client.ts'
import { loadConnection, type Connection } from '../cluster/connection.ts'
import { ClusterError } from '../cluster/errors.ts'
import { Transport } from '../cluster/transport.ts'
import type { Instant } from '../core/time.ts'
import { systemClock, type Clock } from '../runtime/clock.ts'
import { failureOf } from './cluster-failure.ts'
import type { ClusterArgs, Impersonated } from './cluster-options.ts'
import type { CommandIo } from './command.ts'
import { oneLine, ownLines } from './one-line.ts'
import { ServerTime } from './server-time.ts'
import { packageVersion } from './version.ts'

/** A cluster, as the user of a command sees it. */
export interface ClusterSession {
  readonly client: KubeClient
  readonly transport: Transport
  readonly connection: Connection
  /** Of the command line, or of the kubeconfig's context. */
  readonly namespace: string
  readonly clock: Clock
  /** By the API server's own clock, as far as it was heard. */
  readonly now: () => Instant
}

/**
 * Does the work of `lapse COMMAND` with a connection of its own. What the cluster refuses or fails to do is told on
 * stderr, and its exit code is the result. Throws NoConnection, and whatever is no ClusterError.
 */
export async function inCluster(
  command: string,
  args: ClusterArgs,
  io: CommandIo,
  work: (session: ClusterSession) => Promise<number>,
): Promise<number> {
  const clock = systemClock
  const { kubeconfig, impersonate } = args
  const loaded = await loadConnection({ kubeconfig, clock })
  const connection = impersonate === null ? loaded : impersonating(loaded, impersonate)
  const userAgent = `lapse-${command}/${packageVersion()}`
  const time = new ServerTime(clock)
  const transport = new Transport({ connection, clock, random: Math.random, userAgent, witness: time })
  const client = new KubeClient(transport)
  try {
    const namespace = args.namespace ?? loaded.namespace
    return await work({ client, transport, connection, namespace, clock, now: () => time.now() })
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error
    const { code, form, text } = failureOf(error)
    io.stderr.write(form === 'Verbatim' ? `${ownLines(text)}\n` : `lapse ${command}: ${oneLine(text)}\n`)
    return code
  } finally {
    await transport.close()
  }
}

/** Whom the kubeconfig itself impersonates gives way, groups and all. */
function impersonating(connection: Connection, { user, groups }: Impersonated): Connection {
  return {
    ...connection,
    credentials: async () => {
      const { tls, headers } = await connection.credentials()
      const own = Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith('impersonate-'))
      const whom = { 'Impersonate-User': user, ...(groups.length > 0 && { 'Impersonate-Group': [...groups] }) }
      return { tls, headers: { ...Object.fromEntries(own), ...whom } }
    },
  }
}
