import { request, type RequestOptions } from 'node:https'

import type { Pod } from './pod.ts'

export interface DirectAnswer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** A request to the webhook's own port, as any pod could send it that reaches it. */
export function callWebhook(
  webhook: Pod,
  path: string,
  body: string | Buffer,
  options: RequestOptions = {},
): Promise<DirectAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: webhook.localPort('webhook'),
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        rejectUnauthorized: false,
        agent: false,
        ...options,
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}
