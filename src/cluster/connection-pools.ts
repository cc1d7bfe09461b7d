import { createSecureContext } from 'node:tls'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { Millis } from '../core/time.ts'
import type { TlsOptions } from './credentials.ts'
import { fence } from './fence.ts'

const connectTimeout: Millis = 5_000
/** A peer that vanished without a FIN is noticed after a quiet time and three probes without an answer. */
const probes = { after: 10_000, every: 10_000, count: 3 } as const
const maxCallConnections = 64
const keepIdle: Millis = 30_000

/**
 * The connections that were made with one set of TLS options: watches, which last, and calls, which must not queue behind
 * them. Writes are calls that pass a fence.
 */
export class ConnectionPools {
  readonly tls: TlsOptions
  readonly calls: Dispatcher
  readonly writes: Dispatcher
  readonly watches: Dispatcher

  constructor(tls: TlsOptions, mayWrite: () => boolean) {
    const pool = { connect: connectorOf(tls), pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 }
    this.tls = tls
    this.calls = new Agent({ ...pool, connections: maxCallConnections, keepAliveTimeout: keepIdle })
    this.writes = this.calls.compose(fence(mayWrite))
    this.watches = new Agent({ ...pool, connections: null })
  }

  /** Resolves when everything that runs has ended by itself; nothing can be begun any more. */
  async retire(): Promise<void> {
    await Promise.all([this.calls.close(), this.watches.close()])
  }

  /** Ends everything that runs. */
  async destroy(): Promise<void> {
    await Promise.all([this.calls.destroy(), this.watches.destroy()])
  }
}

function connectorOf(tls: TlsOptions): buildConnector.connector {
  // once: certificates and key are parsed with each context, which is most of what a connection costs here
  const secureContext = createSecureContext(tls)
  const connect = buildConnector({ ...tls, secureContext, timeout: connectTimeout, allowH2: false })
  return (target, callback) => connect(target, probing(callback))
}

function probing(callback: buildConnector.Callback): buildConnector.Callback {
  return (...[error, socket]) => {
    if (error !== null) return callback(error, null)
    socket.setKeepAlive(true, probes.after, probes.every, probes.count)
    callback(null, socket)
  }
}
