import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { answerPeer } from './peer.ts'

export interface BareServerQuestion {
  /** PEM */
  readonly certificate: string
  readonly key: string
}

export interface BareServerAnswer {
  readonly port: number
}

const answer = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: '00000000-0000-0000-0000-000000000000', allowed: true },
})
const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) }

/** The least that a webhook in Node can do: read the body, parse it, answer. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly request?: object }
    response.writeHead(review.request === undefined ? 400 : 200, headers).end(answer)
  })
}

answerPeer<BareServerQuestion, BareServerAnswer>(async ({ certificate, key }) => {
  const server = createServer({ cert: certificate, key, keepAliveTimeout: 120_000 }, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port }
})
