import { createServer, request, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'

/**
 * Plays kube-proxy for the API server: its connections to a Service's cluster address end at a local port instead.
 * The table lives in the process that started the control plane; a process that attached to it changes the same table.
 */
export interface ServiceProxy {
  /** Connections to clusterIP:port go to 127.0.0.1:localPort from now on; replaces an earlier route of the same address. */
  route(clusterIP: string, port: number, localPort: number): Promise<void>
  /** Connections to clusterIP:port are refused from now on, as those to any address without a route; open ones stay. */
  unroute(clusterIP: string, port: number): Promise<void>
}

/** The client of a proxy that listens on the given unix socket. */
export function serviceProxyAt(socketPath: string): ServiceProxy {
  const change = (method: 'PUT' | 'DELETE', clusterIP: string, port: number, body: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const call = request({ socketPath, method, path: `/${clusterIP}:${port}`, agent: false }, (answer) => {
        answer.resume()
        if (answer.statusCode === 204) answer.on('end', () => resolve())
        else reject(new Error(`the service proxy answered ${answer.statusCode}`))
      })
      call.on('error', reject)
      call.end(body)
    })
  return {
    route: (clusterIP, port, localPort) => change('PUT', clusterIP, port, String(localPort)),
    unroute: (clusterIP, port) => change('DELETE', clusterIP, port, ''),
  }
}

/** The proxy itself: `CONNECT ip:port` opens a tunnel, `PUT /ip:port` (body: local port) and `DELETE /ip:port` edit the table. */
export class ServiceProxyServer {
  readonly #routes = new Map<string, number>()
  readonly #tunnels = new Set<Socket>()
  readonly #server: Server

  constructor() {
    this.#server = createServer((edit, answer) => {
      const address = (edit.url ?? '/').slice(1)
      let body = ''
      edit.setEncoding('utf8')
      edit.on('data', (chunk: string) => (body += chunk))
      edit.on('end', () => {
        if (edit.method === 'PUT') this.#routes.set(address, Number(body))
        else this.#routes.delete(address)
        answer.writeHead(204).end()
      })
    })
    this.#server.on('connect', (wanted, client: Socket, head: Buffer) => this.#tunnel(wanted.url ?? '', client, head))
  }

  listen(socketPath: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(socketPath, resolve)
    })
  }

  close(): void {
    for (const tunnel of this.#tunnels) tunnel.destroy()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #tunnel(address: string, client: Socket, head: Buffer): void {
    const localPort = this.#routes.get(address)
    if (localPort === undefined) {
      client.on('error', () => client.destroy())
      client.end(`HTTP/1.1 502 No route to ${address}\r\n\r\n`)
      return
    }
    // A request comes in two pieces: without noDelay the second waits for the acknowledgement of the first, 40 ms.
    const target = connect({ port: localPort, host: '127.0.0.1', noDelay: true })
    for (const [end, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.#tunnels.add(end)
      end.on('error', () => other.destroy())
      end.on('close', () => {
        this.#tunnels.delete(end)
        other.destroy()
      })
    }
    target.on('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.write(head)
      client.pipe(target)
      target.pipe(client)
    })
  }
}
