import { createServer, connect, type Server, type Socket } from 'node:net'

import type { Millis } from '../../src/core/time.ts'
import { freePort } from './free-port.ts'

/** One connection that passes through. */
interface Pair {
  /** Towards the client. */
  readonly outer: Socket
  /** Towards the server behind. */
  readonly inner: Socket
  endsWithReset: boolean
}

/** A TCP relay on 127.0.0.1 that misbehaves as a network does. What it relays it does not understand. */
export class FaultLink {
  readonly #port: number
  readonly #target: number
  readonly #pairs = new Set<Pair>()
  #server: Server | null = null
  #stalled = false
  #connections = 0
  #resets = 0

  private constructor(port: number, target: number) {
    this.#port = port
    this.#target = target
  }

  /** A link to that port of 127.0.0.1, open. */
  static async to(target: number): Promise<FaultLink> {
    const link = new FaultLink(await freePort(), target)
    await link.#listen()
    return link
  }

  /** Where clients connect. */
  get port(): number {
    return this.#port
  }

  /** Connections with clients that are open now. While the link stalls it does not notice that a client has gone. */
  get openSockets(): number {
    return this.#pairs.size
  }

  /** How many connections clients have made so far. */
  get connections(): number {
    return this.#connections
  }

  /** How often the open connections were reset. */
  get resets(): number {
    return this.#resets
  }

  /** Resets (RST) every connection that is open, the ones in their handshake too. */
  reset(): void {
    this.#resets += 1
    for (const { outer, inner } of this.#pairs) {
      outer.resetAndDestroy()
      inner.resetAndDestroy()
    }
  }

  /** The same, again and again. Returns how to end it. */
  resetEvery(interval: Millis): () => void {
    const timer = setInterval(() => this.reset(), interval)
    return () => clearInterval(timer)
  }

  /** From now on no byte passes in either direction, and no FIN; new connections are accepted, and silent as well. */
  stall(): void {
    this.#stalled = true
    for (const { outer, inner } of this.#pairs) {
      outer.unpipe(inner).pause()
      inner.unpipe(outer).pause()
    }
  }

  /** From now on new connections are refused; those that are open stay. */
  refuse(): void {
    this.#server?.close()
    this.#server = null
  }

  /** Ends a stall and a refusal. What was held back by a stall passes now. */
  async goOn(): Promise<void> {
    if (this.#server === null) await this.#listen()
    this.#stalled = false
    for (const pair of this.#pairs) join(pair)
  }

  /** The connection that the server behind sees come from that port is reset, not ended, once the server closes it. All that the server sent arrives before. */
  endWithReset(portOfPeer: number): void {
    for (const pair of this.#pairs) if (pair.inner.localPort === portOfPeer) pair.endsWithReset = true
  }

  close(): void {
    this.refuse()
    for (const { outer, inner } of this.#pairs) {
      outer.destroy()
      inner.destroy()
    }
  }

  #listen(): Promise<void> {
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (outer) => this.#relay(outer))
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
  }

  #relay(outer: Socket): void {
    const inner = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const pair: Pair = { outer, inner, endsWithReset: false }
    this.#pairs.add(pair)
    this.#connections += 1
    outer.on('error', () => inner.destroy())
    outer.on('close', () => {
      this.#pairs.delete(pair)
      inner.destroy()
    })
    outer.on('end', () => inner.end())
    inner.on('error', () => outer.destroy())
    inner.on('end', () => (pair.endsWithReset ? outer.resetAndDestroy() : outer.end()))
    if (!this.#stalled) join(pair)
  }
}

function join({ outer, inner }: Pair): void {
  outer.unpipe(inner).pipe(inner, { end: false })
  inner.unpipe(outer).pipe(outer, { end: false })
}
