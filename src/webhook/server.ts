import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Millis } from '../core/time.ts'
import type { Address } from '../runtime/address.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { createApp } from './app.ts'
import type { CertificatePair } from './certificate.ts'
import { admissionHandler } from './handler.ts'
import type { Judge } from './judge.ts'

export interface AdmissionServerOptions {
  readonly judge: Pick<Judge, 'answer'>
  readonly version: string
  readonly clock: Clock
  readonly log: Log
}

/** The API server keeps idle connections for about 90 s; whoever closes first must not be us, or a request is lost. */
const keepAliveTimeout: Millis = 120_000
const headersTimeout: Millis = 125_000
/** A connection that says nothing must not hold up the end of the process. */
const handshakeTimeout: Millis = 10_000

/** For so long the API server may still send reviews here after the endpoint is withdrawn. */
const farewell: Millis = 2_000

/** The HTTPS server that the API server asks. */
export class AdmissionServer {
  readonly #options: AdmissionServerOptions
  #server: Server | null = null
  #isDraining = false

  constructor(options: AdmissionServerOptions) {
    this.#options = options
  }

  /** Resolves to the port. Throws when certificate and key do not belong together, or the address is taken. */
  async listen({ host, port }: Address, certificate: CertificatePair): Promise<number> {
    const { judge, version, clock, log } = this.#options
    const handler = admissionHandler({ judge, app: createApp(version), isDraining: () => this.#isDraining, clock, log })
    const server = createServer({ ...tlsOf(certificate), keepAliveTimeout, headersTimeout, handshakeTimeout }, handler)
    server.on('tlsClientError', (error) => log.debug('TLS handshake failed', { error }))
    server.listen(port, host)
    await once(server, 'listening')
    this.#server = server
    return (server.address() as AddressInfo).port
  }

  /** For connections from now on; open ones stay. Throws, and changes nothing, when the two do not belong together. */
  replaceCertificate(certificate: CertificatePair): void {
    this.#server?.setSecureContext(tlsOf(certificate))
  }

  /** Goes on answering for a moment while clients turn elsewhere, then finishes what has begun and closes. */
  async drain(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#isDraining = true
    await new Promise<void>((resolve) => void this.#options.clock.after(farewell, resolve))
    const closed = once(server, 'close')
    server.close()
    server.closeIdleConnections()
    await closed
  }
}

function tlsOf({ cert, key }: CertificatePair) {
  return { cert, key, minVersion: 'TLSv1.2' } as const
}
