import type { Dispatcher } from 'undici'
import { formatDuration, type Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { sleep } from '../runtime/sleep.ts'
import type { DatedAnswer } from '../runtime/trusted-clock.ts'
import type { Connection } from './connection.ts'
import { ConnectionPools } from './connection-pools.ts'
import type { Credentials, TlsOptions } from './credentials.ts'
import {
  ClusterError,
  Fenced,
  Malformed,
  NoCredentials,
  type RequestLine,
  Unauthorized,
  Unreachable,
} from './errors.ts'
import { JsonLines } from './json-lines.ts'
import { orAborted } from './or-aborted.ts'
import { type Effect, waitBeforeRetry } from './retry.ts'
import { errorOfStatus } from './status-error.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface CallOptions {
  /** Of the body. Default application/json. */
  readonly contentType?: string
  /** The form of the answer. Default application/json. */
  readonly accept?: string
  /** For the call as a whole, retries included. Default 10 s. */
  readonly timeout?: Millis
  /** A read is tried again when there is no answer, 429 or 5xx; a write never is. Default: GET is a read, the rest are writes. */
  readonly effect?: Effect
  /** Ends the call. */
  readonly signal?: AbortSignal
}

export interface WatchOptions {
  /** Without a byte for that long the connection counts as dead. */
  readonly idle: Millis
  /** Ends the watch. */
  readonly signal: AbortSignal
  /** The form of the values. Default application/json. */
  readonly accept?: string
}

export interface TransportOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** In [0, 1); spreads retries. */
  readonly random: () => number
  /** Default `lapse`. */
  readonly userAgent?: string
  /** Asked right before a write is sent; false: it fails as Fenced and is not sent. Default: always. */
  readonly mayWrite?: () => boolean
  readonly observer?: Pick<Metrics, 'request'>
  /** Told of the Date of every answer. */
  readonly witness?: { heard(answer: DatedAnswer): void }
}

const defaultTimeout: Millis = 10_000
const json = 'application/json'

/**
 * Raw JSON to and from one API server. Paths may carry a query. Throws the errors of errors.ts. Connections are made anew
 * when the certificates that they are made with change; a credential that is refused is read again, once, at once.
 */
export class Transport {
  readonly #options: TransportOptions
  readonly #origin: string
  readonly #prefix: string
  /** Those of the newest TLS options. */
  #pools: ConnectionPools | null = null
  /** Those on which something still runs. */
  readonly #retired = new Set<ConnectionPools>()
  #closed = false

  constructor(options: TransportOptions) {
    const { origin, pathname } = new URL(options.connection.url)
    this.#options = options
    this.#origin = origin
    this.#prefix = pathname.replace(/\/+$/, '')
  }

  /** The parsed answer; null when it is empty. */
  async call(method: Method, path: string, body?: object, options: CallOptions = {}): Promise<unknown> {
    const { clock, random } = this.#options
    const { timeout = defaultTimeout, effect = method === 'GET' ? 'read' : 'write' } = options
    const deadline = clock.monotonic() + timeout
    const abort = new AbortController()
    const ended = options.signal === undefined ? abort.signal : AbortSignal.any([options.signal, abort.signal])
    const message = messageOf(method, path, body, effect, options, ended)
    const cancel = clock.after(timeout, () => abort.abort(new Error(`no answer within ${formatDuration(timeout)}`)))
    try {
      for (let failures = 0; ; failures++) {
        const outcome = await this.#attempt(message)
        if (outcome.ok) return outcome.value
        const wait = waitBeforeRetry(outcome.error, { effect, failures, random })
        if (wait === null || ended.aborted || clock.monotonic() + wait >= deadline) throw outcome.error
        await sleep(clock, wait, ended)
        if (ended.aborted) throw outcome.error
      }
    } finally {
      cancel()
    }
  }

  /**
   * The values of a stream of JSON lines, until the server ends it. A failure, the signal or the watchdog ends it with
   * an error.
   */
  async *watch(path: string, { idle, signal, accept = json }: WatchOptions): AsyncGenerator {
    const request: RequestLine = { method: 'GET', path: withoutQuery(path) }
    const watchdog = new AbortController()
    const bark = (): void => watchdog.abort(new Error(`nothing heard for ${formatDuration(idle)}`))
    let calm = this.#options.clock.after(idle, bark)
    const ended = AbortSignal.any([signal, watchdog.signal])
    try {
      const response = await this.#send({ method: 'GET', path, accept, pool: 'watches', content: null, signal: ended })
      if (response.statusCode >= 400) throw await errorOfResponse(request, response)
      const lines = new JsonLines()
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        calm()
        calm = this.#options.clock.after(idle, bark)
        yield* lines.push(chunk)
      }
    } catch (error) {
      throw this.#failureOf(request, error, ended)
    } finally {
      calm()
    }
  }

  /** Drops every connection; calls and watches that run fail as Unreachable. */
  async close(): Promise<void> {
    this.#closed = true
    const pools = this.#pools === null ? [...this.#retired] : [this.#pools, ...this.#retired]
    await Promise.all(pools.map((each) => each.destroy()))
  }

  async #attempt(message: Message): Promise<Attempt> {
    const request: RequestLine = { method: message.method, path: withoutQuery(message.path) }
    try {
      const response = await this.#send(message)
      if (response.statusCode >= 400) throw await errorOfResponse(request, response)
      const text = await response.body.text()
      return { ok: true, value: text === '' ? null : JSON.parse(text) }
    } catch (error) {
      return { ok: false, error: this.#failureOf(request, error, message.signal) }
    }
  }

  async #send({ method, path, accept, pool, content, signal }: Message): Promise<Response> {
    const { observer, userAgent = 'lapse' } = this.#options
    const { tls, headers } = await this.#credentials({ method, path: withoutQuery(path) }, signal)
    const type = content === null ? {} : { 'Content-Type': content.type }
    const began = this.#options.clock.monotonic()
    const sent = orAborted(
      signal,
      this.#poolsOf(tls)[pool].request({
        origin: this.#origin,
        path: this.#prefix + path,
        method,
        signal,
        headers: { Accept: accept, 'User-Agent': userAgent, ...type, ...headers },
        body: content?.text ?? null,
      }),
    )
    return sent.then(
      (response) => {
        observer?.request({ method, code: String(response.statusCode) })
        this.#noteDate(response, began)
        return response
      },
      (error: unknown) => {
        if (!(error instanceof Fenced)) observer?.request({ method, code: '<error>' })
        throw error
      },
    )
  }

  #noteDate({ headers }: Response, sent: Millis): void {
    const { witness, clock } = this.#options
    if (witness === undefined || typeof headers['date'] !== 'string') return
    witness.heard({ date: Date.parse(headers['date']), sent, received: clock.monotonic() })
  }

  async #credentials(request: RequestLine, signal: AbortSignal): Promise<Credentials> {
    try {
      // an exec plugin may take longer than the caller has
      return await orAborted(signal, this.#options.connection.credentials())
    } catch (error) {
      throw new NoCredentials(request, `no credentials: ${describe(error)}`)
    }
  }

  #poolsOf(tls: TlsOptions): ConnectionPools {
    if (this.#closed) throw new Error('the connection was closed')
    if (this.#pools?.tls === tls) return this.#pools
    if (this.#pools !== null) this.#retire(this.#pools)
    this.#pools = new ConnectionPools(tls, this.#options.mayWrite ?? (() => true))
    return this.#pools
  }

  #retire(pools: ConnectionPools): void {
    this.#retired.add(pools)
    pools.retire().then(
      () => this.#retired.delete(pools),
      () => {}, // destroyed meanwhile
    )
  }

  /** Credentials that the other side, or we, cannot accept may have been replaced at their source. */
  #failureOf(request: RequestLine, error: unknown, signal: AbortSignal): ClusterError {
    const refused = error instanceof Unauthorized && !(error instanceof NoCredentials)
    if (refused || isCertificateFailure(error)) this.#options.connection.renew()
    if (error instanceof ClusterError) return error
    // what the parser says of malformed text quotes it
    if (error instanceof SyntaxError || error instanceof TypeError)
      return new Malformed(request, 'the answer is malformed')
    return new Unreachable(request, `no answer: ${describe(signal.aborted ? signal.reason : error)}`)
  }
}

type Response = Dispatcher.ResponseData

type Attempt = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: ClusterError }

interface Message {
  readonly method: Method
  readonly path: string
  readonly accept: string
  readonly pool: 'calls' | 'writes' | 'watches'
  readonly content: { readonly type: string; readonly text: string } | null
  readonly signal: AbortSignal
}

function messageOf(
  method: Method,
  path: string,
  body: object | undefined,
  effect: Effect,
  { contentType = json, accept = json }: CallOptions,
  signal: AbortSignal,
): Message {
  const content = body === undefined ? null : { type: contentType, text: JSON.stringify(body) }
  return { method, path, accept, pool: effect === 'read' ? 'calls' : 'writes', content, signal }
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

/** The codes of Node for a certificate that it does not accept. */
function isCertificateFailure(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' && /^(CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return error.message === '' ? (code ?? error.name) : error.message
}

function withoutQuery(path: string): string {
  return path.split('?', 1)[0] ?? path
}
