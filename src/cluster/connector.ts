import { callbackify } from 'node:util'
import { buildConnector } from 'undici'
import type { Millis } from '../core/time.ts'
import type { Connection, TlsOptions } from './connection.ts'

const connectTimeout: Millis = 5_000
/** A peer that vanished without a FIN is noticed after a quiet time and three probes without an answer. */
const probes = { after: 10_000, every: 10_000, count: 3 } as const

/** Makes each connection with the TLS options that hold when it is made, so that rotated certificates take effect. */
export function connectorOf(connection: Connection): buildConnector.connector {
  let current: { readonly tls: TlsOptions; readonly connect: buildConnector.connector } | null = null
  const newest = callbackify(async () => {
    const { tls } = await connection.credentials()
    if (current?.tls !== tls) {
      current = { tls, connect: buildConnector({ ...tls, timeout: connectTimeout, allowH2: false }) }
    }
    return current.connect
  })
  return (target, callback) =>
    newest((error, connect) => (error === null ? connect(target, probing(callback)) : callback(error, null)))
}

function probing(callback: buildConnector.Callback): buildConnector.Callback {
  return (...[error, socket]) => {
    if (error !== null) return callback(error, null)
    socket.setKeepAlive(true, probes.after, probes.every, probes.count)
    callback(null, socket)
  }
}
