import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { readBody } from './envelope.ts'
import type { Judge } from './judge.ts'
import { failure, type Reply } from './status.ts'
import { webhooks, type Webhook } from './webhooks.ts'

export interface HandlerOptions {
  readonly judge: Pick<Judge, 'answer'>
  /** Serves every other request. */
  readonly app: RequestListener
  /** From then on every answer asks the client to open its next connection elsewhere. */
  readonly isDraining: () => boolean
  readonly clock: Clock
  readonly log: Log
}

/** A review must have arrived by then. The API server gives up after 5 s, a wait for the caches included. */
const arrivalDeadline: Millis = 3_000

/** Reviews go straight to the judge; the chain of middleware is for the rest. */
export function admissionHandler(options: HandlerOptions): RequestListener {
  return (request, response) => {
    const webhook = request.method === 'POST' ? webhooks.get(pathOf(request.url ?? '')) : undefined
    if (webhook === undefined) options.app(request, response)
    else void serve(options, webhook, request, response)
  }
}

async function serve(
  { judge, clock, log, isDraining }: HandlerOptions,
  webhook: Webhook,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(request, clock, arrivalDeadline)
    const reply = body.ok ? await judge.answer(webhook, body.text) : body.reply
    if (reply === null) return
    if (reply.status === 408 || isDraining()) response.setHeader('Connection', 'close')
    send(response, reply)
  } catch (error) {
    log.error('review request failed', { webhook: webhook.name, error })
    if (response.headersSent) response.destroy()
    else send(response, failure(500, 'lapse failed to judge this object'))
  }
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body)
}

/** The API server appends its timeout to the path as a query. */
function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
