import { connect, type TLSSocket } from 'node:tls'

import { answerPeer } from './peer.ts'
import { percentile } from './percentile.ts'

export interface LoadQuestion {
  /** On 127.0.0.1. */
  readonly port: number
  readonly path: string
  readonly body: string
  /** Of the server's certificate: the CA as PEM, and the name that it is for. */
  readonly ca: string
  readonly servername: string
  readonly connections: number
  readonly millis: number
  /** Must be in every answer. */
  readonly expected: string
}

export interface LoadAnswer {
  /** How many answers there were. */
  readonly count: number
  readonly perSecond: number
  /** Milliseconds, as are the next two. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** The first thing that was not as expected; null: nothing. Then the figures mean nothing. */
  readonly failure: string | null
}

/**
 * POSTs the same body on every connection, the next when the answer to the last is in. It writes and reads HTTP by
 * hand: a client library costs as much per request as the server that it is meant to load.
 */
async function load(question: LoadQuestion): Promise<LoadAnswer> {
  const { connections, millis, body, path, servername } = question
  const head = `POST ${path} HTTP/1.1\r\nHost: ${servername}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  const request = Buffer.from(head + body)
  const latencies: number[] = []
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(question)))
  const start = performance.now()
  const ends = sockets.map((socket) => drive(socket, request, question.expected, start + millis, latencies))
  const failures = (await Promise.all(ends)).filter((failure) => failure !== null)
  const elapsed = performance.now() - start
  for (const socket of sockets) socket.destroy()
  if (latencies.length === 0) failures.push('there was no answer')
  const count = latencies.length
  const [p50 = 0, p90 = 0, p99 = 0] = count === 0 ? [] : [0.5, 0.9, 0.99].map((share) => percentile(latencies, share))
  return { count, perSecond: (count / elapsed) * 1000, p50, p90, p99, failure: failures[0] ?? null }
}

function open({ port, ca, servername }: LoadQuestion): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername }, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

/** Resolves at the end of the time, or with what went wrong before. */
function drive(
  socket: TLSSocket,
  request: Buffer,
  expected: string,
  end: number,
  latencies: number[],
): Promise<string | null> {
  return new Promise((resolve) => {
    let sent = performance.now()
    let received = ''
    socket.on('close', () => resolve('the server closed the connection'))
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      if (!isWhole(received)) return
      const now = performance.now()
      latencies.push(now - sent)
      if (!received.startsWith('HTTP/1.1 200 ') || !received.includes(expected)) return resolve(received)
      if (now >= end) return resolve(null)
      received = ''
      sent = now
      socket.write(request)
    })
    socket.write(request)
  })
}

/** Every answer says how long it is. */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n')
  if (headEnd === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1]
  return length !== undefined && answer.length >= headEnd + 4 + Number(length)
}

answerPeer(load)
