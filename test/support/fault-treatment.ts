import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

/** What is done to a request, or to the answer to it. */
export type Treatment =
  /** 429 with that Retry-After; the API server never sees the request. */
  | { readonly kind: 'throttle'; readonly retryAfterSeconds: number }
  /** The request waits for that before it goes on to the API server. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** The same, though its client may have left by then: as one that a network had already taken. */
  | { readonly kind: 'deliver-late'; readonly until: Promise<void> }
  /** The body comes a byte at a time, so that it is cut inside of every character that has several. */
  | { readonly kind: 'drip' }
  /** The body breaks off after the first byte of its first character that has several: as if it were complete, or by a reset. */
  | { readonly kind: 'break-inside-character'; readonly ending: 'end' | 'reset' }

/** Passes an answer of the API server on, chunk by chunk as it comes. Never fails: a body that breaks off breaks off. */
export async function passOn(
  answer: IncomingMessage,
  response: ServerResponse,
  treatment: Treatment | null,
  reset: () => void,
): Promise<void> {
  response.writeHead(answer.statusCode ?? 502, headersOf(answer, treatment))
  response.flushHeaders()
  try {
    if (treatment?.kind === 'drip') await pipeline(answer, bytesOf, response)
    else if (treatment?.kind === 'break-inside-character') await breakOff(answer, response, treatment.ending, reset)
    else await pipeline(answer, response)
  } catch {
    response.destroy()
  }
}

/** Without those that are about one connection only. A body that is tampered with does not have the length that was announced. */
function headersOf(answer: IncomingMessage, treatment: Treatment | null): Record<string, string | string[]> {
  const dropped = new Set(['connection', 'transfer-encoding', ...(treatment === null ? [] : ['content-length'])])
  const kept = Object.entries(answer.headers).filter(([name, value]) => value !== undefined && !dropped.has(name))
  return Object.fromEntries(kept) as Record<string, string | string[]>
}

async function* bytesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) for (const byte of chunk) yield Uint8Array.of(byte)
}

/** Of a character of several bytes in UTF-8. */
const isFirstByte = (byte: number): boolean => byte >= 0xc0

async function breakOff(
  answer: IncomingMessage,
  response: ServerResponse,
  ending: 'end' | 'reset',
  reset: () => void,
): Promise<void> {
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const place = chunk.findIndex(isFirstByte)
    if (place === -1) {
      response.write(chunk)
      continue
    }
    const part = chunk.subarray(0, place + 1)
    if (ending === 'end') response.end(part)
    else response.write(part, reset)
    return
  }
  response.end()
}
