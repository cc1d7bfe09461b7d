import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** One thing that must hold before a process may serve. */
export interface ReadinessCheck {
  /** What is missing when it does not hold, such as `cache of nhigrants`. */
  readonly name: string
  isReady(): boolean
}

export interface HealthServerOptions {
  /** 0: any free port. */
  readonly port: number
  /** Default: all interfaces. */
  readonly host?: string
  readonly checks: readonly ReadinessCheck[]
  readonly metrics: Pick<Metrics, 'render'>
  readonly log: Log
}

export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/** Serves /healthz (the process runs), /readyz (every check holds; the body names those that do not) and /metrics. */
export async function serveHealth(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(options, (request.url ?? '/').split('?', 1)[0] ?? '/', response).catch((error: unknown) => {
      options.log.error('health request failed', { error })
      if (response.headersSent) response.destroy()
      else reply(response, 500, 'internal error\n')
    })
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, close: () => close(server) }
}

async function answer({ checks, metrics }: HealthServerOptions, path: string, response: ServerResponse): Promise<void> {
  switch (path) {
    case '/healthz':
      return reply(response, 200, 'ok\n')
    case '/readyz': {
      const missing = checks.filter((check) => !check.isReady()).map((check) => `not ready: ${check.name}\n`)
      return missing.length === 0 ? reply(response, 200, 'ok\n') : reply(response, 503, missing.join(''))
    }
    case '/metrics': {
      const { contentType, body } = await metrics.render()
      return reply(response, 200, body, contentType)
    }
    default:
      return reply(response, 404, 'not found\n')
  }
}

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
