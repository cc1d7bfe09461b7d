import type { IncomingMessage } from 'node:http'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import { failure, type Reply } from './status.ts'

/** An UPDATE carries the object twice, and etcd keeps objects of up to 1.5 MiB, which grow in JSON. */
export const longestBody = 7 * 1024 * 1024

export type Body =
  | { readonly ok: true; readonly text: string }
  /** reply null: the client has gone, nobody is there to be answered. */
  | { readonly ok: false; readonly reply: Reply | null }

/** Reads the body of a review: JSON by its content type, whole within the time, not longer than `longestBody`. */
export function readBody(request: IncomingMessage, clock: Clock, within: Millis): Promise<Body> {
  if (!isJson(request.headers['content-type']))
    return Promise.resolve(refuse(failure(415, 'the content type must be application/json')))
  if (Number(request.headers['content-length'] ?? 0) > longestBody) return Promise.resolve(refuse(tooLong))
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const finish = (body: Body): void => {
      callOff()
      request.removeListener('data', take)
      resolve(body)
    }
    const take = (chunk: Buffer): void => {
      length += chunk.length
      if (length > longestBody) finish(refuse(tooLong))
      else chunks.push(chunk)
    }
    const callOff = clock.after(within, () =>
      finish(refuse(failure(408, `the body did not arrive within ${within} ms`))),
    )
    request.on('data', take)
    request.once('end', () => finish({ ok: true, text: textOf(chunks) }))
    request.once('close', () => finish({ ok: false, reply: null }))
  })
}

const tooLong = failure(413, `the body is longer than ${longestBody} bytes`)

function refuse(reply: Reply): Body {
  return { ok: false, reply }
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json\s*(;|$)/i.test(contentType)
}

function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks
  return (only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks)).toString('utf8')
}
