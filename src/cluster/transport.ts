import { Agent, type Dispatcher } from 'undici'
import { formatDuration, type Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import { sleep } from '../runtime/sleep.ts'
import type { Connection } from './connection.ts'
import { connectorOf } from './connector.ts'
import { ClusterError, type RequestLine, ServerError, TooManyRequests, Unauthorized, Unreachable } from './errors.ts'
import { JsonLines } from './json-lines.ts'
import { errorOfStatus } from './status-error.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface CallOptions {
  /** Of the body. Default application/json. */
  readonly contentType?: string
  /** For the call as a whole, retries included. Default 10 s. */
  readonly timeout?: Millis
  /** A read is tried again when there is no answer, 429 or 5xx; a write never is. Default: GET is a read, the rest are writes. */
  readonly effect?: 'read' | 'write'
  /** Ends the call. */
  readonly signal?: AbortSignal
}

export interface WatchOptions {
  /** Without a byte for that long the connection counts as dead. */
  readonly idle: Millis
  /** Ends the watch. */
  readonly signal: AbortSignal
}

export interface TransportOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** In [0, 1); spreads retries. */
  readonly random: () => number
  /** Default `lapse`. */
  readonly userAgent?: string
}

const defaultTimeout: Millis = 10_000
const maxRetries = 4
const firstRetry: Millis = 50
const maxCallConnections = 64
const keepIdle: Millis = 30_000

/**
 * Raw JSON to and from one API server, over two pools of connections: watches, which last, and calls, which must not
 * queue behind them. Paths may carry a query. Throws the errors of errors.ts.
 */
export class Transport {
  readonly #options: TransportOptions
  readonly #origin: string
  readonly #prefix: string
  readonly #calls: Agent
  readonly #watches: Agent

  constructor(options: TransportOptions) {
    const { origin, pathname } = new URL(options.connection.url)
    this.#options = options
    this.#origin = origin
    this.#prefix = pathname.replace(/\/+$/, '')
    const pool = {
      connect: connectorOf(options.connection),
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    this.#calls = new Agent({ ...pool, connections: maxCallConnections, keepAliveTimeout: keepIdle })
    this.#watches = new Agent({ ...pool, connections: null })
  }

  /** The parsed answer; null when it is empty. */
  async call(method: Method, path: string, body?: object, options: CallOptions = {}): Promise<unknown> {
    const { clock } = this.#options
    const { timeout = defaultTimeout, effect = method === 'GET' ? 'read' : 'write' } = options
    const deadline = clock.now() + timeout
    const abort = new AbortController()
    const ended = options.signal === undefined ? abort.signal : AbortSignal.any([options.signal, abort.signal])
    const cancel = clock.after(timeout, () => abort.abort(new Error(`no answer within ${formatDuration(timeout)}`)))
    try {
      for (let retries = 0; ; retries++) {
        const outcome = await this.#attempt(method, path, body, options, ended)
        if (outcome.ok) return outcome.value
        const wait = effect === 'read' && retries < maxRetries ? this.#retryAfter(outcome.error, retries) : null
        if (wait === null || clock.now() + wait >= deadline) throw outcome.error
        await sleep(clock, wait, ended)
      }
    } finally {
      cancel()
    }
  }

  /**
   * The values of a stream of JSON lines, until the server ends it. A failure, the signal or the watchdog ends it with
   * an error.
   */
  async *watch(path: string, { idle, signal }: WatchOptions): AsyncGenerator {
    const request: RequestLine = { method: 'GET', path: withoutQuery(path) }
    const watchdog = new AbortController()
    const bark = (): void => watchdog.abort(new Error(`nothing heard for ${formatDuration(idle)}`))
    let calm = this.#options.clock.after(idle, bark)
    const ended = AbortSignal.any([signal, watchdog.signal])
    try {
      const response = await this.#send(this.#watches, request, { method: 'GET', path, signal: ended })
      if (response.statusCode >= 400) throw await errorOfResponse(request, response)
      const lines = new JsonLines()
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        calm()
        calm = this.#options.clock.after(idle, bark)
        yield* lines.push(chunk)
      }
    } catch (error) {
      throw failureOf(request, error, ended)
    } finally {
      calm()
    }
  }

  /** Drops every connection; calls and watches that run fail as Unreachable. */
  async close(): Promise<void> {
    await Promise.all([this.#calls.destroy(), this.#watches.destroy()])
  }
  async #attempt(
    method: Method,
    path: string,
    body: object | undefined,
    { contentType = 'application/json' }: CallOptions,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const request: RequestLine = { method, path: withoutQuery(path) }
    try {
      const content = body === undefined ? null : { type: contentType, text: JSON.stringify(body) }
      const response = await this.#send(this.#calls, request, { method, path, content, signal })
      if (response.statusCode >= 400) return { ok: false, error: await errorOfResponse(request, response) }
      const text = await response.body.text()
      return { ok: true, value: text === '' ? null : JSON.parse(text) }
    } catch (error) {
      return { ok: false, error: failureOf(request, error, signal) }
    }
  }

  async #send(pool: Agent, request: RequestLine, { method, path, content = null, signal }: Message): Promise<Response> {
    const headers = await this.#credentialHeaders(request)
    return pool.request({
      origin: this.#origin,
      path: this.#prefix + path,
      method,
      signal,
      headers: {
        Accept: 'application/json',
        'User-Agent': this.#options.userAgent ?? 'lapse',
        ...(content === null ? {} : { 'Content-Type': content.type }),
        ...headers,
      },
      body: content?.text ?? null,
    })
  }

  async #credentialHeaders(request: RequestLine): Promise<Readonly<Record<string, string>>> {
    try {
      return (await this.#options.connection.credentials()).headers
    } catch (error) {
      throw new Unauthorized(request, `no credentials: ${describe(error)}`)
    }
  }

  /** When to try a read again; null when that would not help. */
  #retryAfter(error: ClusterError, retries: number): Millis | null {
    const backoff = firstRetry * 2 ** retries * (0.5 + this.#options.random())
    if (error instanceof TooManyRequests) return error.retryAfter + backoff
    return error instanceof Unreachable || (error instanceof ServerError && error.status >= 500) ? backoff : null
  }
}

type Response = Dispatcher.ResponseData

type Attempt = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: ClusterError }

interface Message {
  readonly method: Method
  readonly path: string
  readonly content?: { readonly type: string; readonly text: string } | null
  readonly signal: AbortSignal
}

async function errorOfResponse(request: RequestLine, response: Response): Promise<ClusterError> {
  const retryAfter = response.headers['retry-after']
  const text = await response.body.text()
  return errorOfStatus(
    request,
    response.statusCode,
    parsed(text),
    typeof retryAfter === 'string' ? retryAfter : undefined,
  )
}

/** null when the text is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function failureOf(request: RequestLine, error: unknown, signal: AbortSignal): ClusterError {
  if (error instanceof ClusterError) return error
  // what the parser says of malformed text quotes it
  if (error instanceof SyntaxError || error instanceof TypeError)
    return new ServerError(request, 'the answer is malformed', 502)
  return new Unreachable(request, `no answer: ${describe(signal.aborted ? signal.reason : error)}`)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return error.message === '' ? (code ?? error.name) : error.message
}

function withoutQuery(path: string): string {
  return path.split('?', 1)[0] ?? path
}
