import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as send, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

import type { ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { FaultLink } from './fault-link.ts'
import { passOn, type Treatment } from './fault-treatment.ts'
import { kubeconfig } from './kubeconfig.ts'
import { seenRequest, type SeenRequest } from './seen-request.ts'

export interface Account {
  readonly namespace: string
  /** Of a ServiceAccount. */
  readonly name: string
}

interface Rule {
  readonly concerns: (request: SeenRequest) => boolean
  readonly treatment: Treatment
}

const rbac = '/apis/rbac.authorization.k8s.io/v1'

/**
 * Stands in front of an API server and misbehaves: its link as a network does, its treatments as a server does. Answers
 * are streamed. It ends TLS, so that client certificates do not pass: it is for those who come with a token.
 */
export class FaultProxy {
  /** What clients connect through. */
  readonly link: FaultLink
  /** Every request that arrived whole, in order. */
  readonly requests: SeenRequest[] = []
  readonly #controlPlane: ControlPlane
  readonly #server: Server
  readonly #agent: Agent
  readonly #rules = new Set<Rule>()
  readonly #bindings: string[] = []

  private constructor(controlPlane: ControlPlane, server: Server, link: FaultLink) {
    this.#controlPlane = controlPlane
    this.#server = server
    this.link = link
    this.#agent = new Agent({ ca: Buffer.from(controlPlane.caData, 'base64'), keepAlive: true })
  }

  static async start(controlPlane: ControlPlane): Promise<FaultProxy> {
    const { certificate: cert, key } = await controlPlane.servingCertificate(['127.0.0.1'])
    const server = createServer({ cert, key, keepAliveTimeout: 0, requestTimeout: 0, noDelay: true })
    server.on('tlsClientError', () => {}) // a handshake that the link cut off
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const link = await FaultLink.to((server.address() as AddressInfo).port)
    const proxy = new FaultProxy(controlPlane, server, link)
    server.on('request', (request, response) => void proxy.#serve(request, response))
    return proxy
  }

  /** The path of a kubeconfig that leads through this proxy, with a token of that account. Default: one that may do everything. */
  async kubeconfig(account?: Account): Promise<string> {
    const { namespace, name } = account ?? (await this.#mightyAccount())
    const { admin, directory, caData } = this.#controlPlane
    const request = { spec: { expirationSeconds: 3_600 } }
    const answer = await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, request)
    const path = join(directory, `${randomBytes(5).toString('hex')}.kubeconfig`)
    const text = kubeconfig(`https://127.0.0.1:${this.link.port}`, caData, { token: answer['status'].token as string })
    await writeFile(path, text, { mode: 0o600 })
    return path
  }

  /** From now on the treatment is given to all requests that this concerns; the first that applies counts. Returns how to end it. */
  treat(concerns: (request: SeenRequest) => boolean, treatment: Treatment): () => void {
    const rule = { concerns, treatment }
    this.#rules.add(rule)
    return () => this.#rules.delete(rule)
  }

  /** Drops every connection. */
  async close(): Promise<void> {
    this.link.close()
    this.#server.closeAllConnections()
    this.#server.close()
    this.#agent.destroy()
    await Promise.all(this.#bindings.map((path) => this.#controlPlane.admin.delete(path)))
  }

  async #mightyAccount(): Promise<Account> {
    const { admin } = this.#controlPlane
    const account = { namespace: await this.#controlPlane.namespace(), name: 'default' }
    await admin.create(`${rbac}/clusterrolebindings`, {
      metadata: { name: account.namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    })
    this.#bindings.push(`${rbac}/clusterrolebindings/${account.namespace}`)
    const user = `system:serviceaccount:${account.namespace}:${account.name}`
    await eventually(`${user} may do everything`, () => admin.as({ user }).get('/api/v1/nodes'))
    return account
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = seenRequest(request.method ?? '', request.url ?? '')
    this.requests.push(seen)
    const treatment = [...this.#rules].find(({ concerns }) => concerns(seen))?.treatment ?? null
    if (treatment?.kind === 'throttle') return throttle(response, treatment.retryAfterSeconds)
    if (treatment?.kind === 'deliver-late') return this.#deliverLate(request, response, treatment.until)
    if (treatment?.kind === 'hold') await treatment.until
    this.#forward(request, response, treatment)
  }

  async #deliverLate(request: IncomingMessage, response: ServerResponse, until: Promise<void>): Promise<void> {
    const body = await buffer(request).catch(() => null)
    if (body === null) return // the client has left before all of it was here
    await until
    const call = this.#callFor(request)
    call.on('response', (answer) => void passOn(answer, response, null, () => {}))
    call.on('error', () => response.destroy())
    call.end(body)
  }

  #forward(request: IncomingMessage, response: ServerResponse, treatment: Treatment | null): void {
    if (response.destroyed) return // the client has left meanwhile
    const { socket } = request
    const call = this.#callFor(request)
    const reset = (): void => {
      this.link.endWithReset(socket.remotePort ?? 0)
      socket.destroy()
    }
    call.on('response', (answer) => void passOn(answer, response, treatment, reset))
    call.on('error', () => response.destroy())
    response.on('close', () => response.writableFinished || call.destroy())
    request.pipe(call)
  }

  /** The same to the API server, its body to come. */
  #callFor({ method = 'GET', url, headers }: IncomingMessage): ClientRequest {
    const { host: _, connection: __, ...kept } = headers
    return send(new URL(url ?? '/', this.#controlPlane.url), { method, agent: this.#agent, headers: kept })
  }
}

function throttle(response: ServerResponse, retryAfterSeconds: number): void {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'TooManyRequests', code: 429 }
  response.writeHead(429, { 'content-type': 'application/json', 'retry-after': String(retryAfterSeconds) })
  response.end(JSON.stringify({ ...status, message: 'too many requests' }))
}
