import { Pool, type Dispatcher } from 'undici'

import { loadConnection } from '../../src/cluster/connection.ts'
import { systemClock } from '../../src/runtime/clock.ts'

/** The API server by undici alone: no deadline, no retry, no typed error, and the credentials of the start for good. */
export interface RawClient {
  /** The parsed answer. Rejects for every status from 400 on. */
  request(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown>
  close(): Promise<void>
}

/** A pool of as many connections as the transport's, with the same TLS options. */
export async function connectRaw(kubeconfig: string, connections = 64): Promise<RawClient> {
  const connection = await loadConnection({ kubeconfig, clock: systemClock })
  const { tls, headers } = await connection.credentials()
  const pool = new Pool(connection.url, {
    connect: { ...tls },
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const accept = { Accept: 'application/json', 'User-Agent': 'bench', ...headers }
  return {
    async request(method, path, body) {
      const content: Partial<Dispatcher.RequestOptions> =
        body === undefined
          ? { headers: accept }
          : { headers: { ...accept, 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
      const answer = await pool.request({ path, method, ...content })
      const text = await answer.body.text()
      if (answer.statusCode >= 400) throw new Error(`${method} ${path} was answered ${answer.statusCode}: ${text}`)
      return JSON.parse(text) as unknown
    },
    close: () => pool.destroy(),
  }
}
