import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { ObjectKey } from '../../src/cluster/ports.ts'
import type { Millis } from '../../src/core/time.ts'
import { ObjectHistory } from './object-history.ts'
import type { QuietClock } from './quiet-clock.ts'
import { type Breakage, ScriptedWatch } from './scripted-watch.ts'

/**
 * What becomes of a request. held: no answer before release(). hang-up: a watch ends as soon as it is opened.
 * overtaken: an object is removed and the past forgotten before the answer.
 */
export const faults = [
  'reset',
  'cut-off',
  'malformed',
  'held',
  'hang-up',
  'overtaken',
  '401',
  '410',
  '429',
  '500',
  '503',
] as const
export type Fault = (typeof faults)[number]

type Refusal = Exclude<Fault, 'held' | 'overtaken'>

export type RequestKind = 'list' | 'next page' | 'watch'

interface ScriptedFault {
  readonly fault: Fault
  readonly on: RequestKind | 'any'
}

/** Where the next page of a list begins. */
interface ListPosition {
  readonly version: number
  readonly rest: ObjectHistory['objects']
}

/** Few, so that a handful of objects takes several pages. */
const pageSize = 2
/** As a real API server does on a quiet watch. */
const bookmarkInterval: Millis = 60_000
const retryAfter: Millis = 2_000
/** A watch that ended in order after a shorter time was no good. */
const shortestWatch: Millis = 1_000
/** After these the place where a watch was is of no use any more. */
const losesPlace: readonly string[] = [
  'malformed',
  'unknown-type',
  'error-410',
  'error-500',
  '410',
  '500',
  'compaction',
]

/** An API server for one type of objects, over HTTP on 127.0.0.1 and in the clock's time, that misbehaves as it is told. */
export class ScriptedApi {
  readonly history = new ObjectHistory()
  readonly requests: RequestKind[] = []
  /** How often each fault and breakage took effect, by a few words for it. */
  readonly effects = new Map<string, number>()
  /** How many lists and watches a client has reason to begin by what went wrong so far, outages apart. */
  readonly reasons = { list: 0, watch: 0 }
  /** The version of the newest list that was answered to its end; -1 when none was. */
  listed = -1
  /** How many requests came without a pause after one that failed, before the time that was asked for, or where 410 had been said. */
  hasty = 0

  readonly #clock: QuietClock
  readonly #expired: '410' | 'error-410'
  readonly #server = createServer((request, response) => this.#accept(request, response))
  readonly #sockets = new Set<Socket>()
  readonly #watches = new Set<ScriptedWatch>()
  /** By the token that continues there. */
  readonly #positions = new Map<string, ListPosition>()
  readonly #script: ScriptedFault[] = []
  readonly #held: (() => void)[] = []
  #outage: Fault | null = null
  /** By the monotonic clock: a request before is hasty. */
  #notBefore: Millis = 0
  #isRefreshDue = false
  #requestedLast: RequestKind = 'list'

  /** `expired`: how a watch is refused that would begin at a version that is forgotten. */
  constructor(clock: QuietClock, expired: '410' | 'error-410') {
    this.#clock = clock
    this.#expired = expired
  }

  /** Resolves with the URL. */
  async listen(): Promise<string> {
    this.#server.on('connection', (socket) => {
      this.#clock.stir()
      this.#sockets.add(socket)
      socket.on('close', () => {
        this.#clock.stir()
        this.#sockets.delete(socket)
      })
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  /** Also those that stall. */
  get openWatches(): number {
    return this.#watches.size
  }

  put(key: ObjectKey): void {
    this.#publish(this.history.put(key))
  }

  remove(key: ObjectKey): void {
    const event = this.history.remove(key)
    if (event !== null) this.#publish(event)
  }

  bookmark(): void {
    this.#publish(bookmarkOf(this.history.version))
  }

  /** Befalls one request: the next of that kind for which nothing was scripted before. */
  script(fault: Fault, on: RequestKind | 'any'): void {
    this.#script.push({ fault, on })
  }

  /** Befalls every request until it is over (null). */
  outage(fault: Fault | null): void {
    this.#outage = fault
  }

  /** Answers what is held, as things are now. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer()
  }

  /** A client has reason to list: also without a pause behind a watch that broke, which it need not have noticed. */
  expectRefresh(): void {
    this.reasons.list += 1
    this.#isRefreshDue = true
  }

  break(how: Breakage): void {
    for (const watch of this.#watches) watch.break(how)
  }

  /** From here on nothing goes wrong any more; what has gone wrong already, such as a watch that stalls, stays as it is. */
  calm(): void {
    this.#script.length = 0
    this.#outage = null
    for (const watch of this.#watches) watch.calm()
  }

  #publish(event: object): void {
    this.#clock.stir()
    for (const watch of this.#watches) watch.deliver([event])
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams
    const kind = query.has('watch') ? 'watch' : query.has('continue') ? 'next page' : 'list'
    const asked = this.#clock.monotonic()
    this.#clock.stir()
    response.on('close', () => this.#clock.stir())
    this.requests.push(kind)
    this.#checkHaste(kind, asked)
    const fault = this.#outage ?? this.#nextFault(kind)
    const answer = (): void => (kind === 'watch' ? this.#watch(query, response, asked) : this.#list(query, response))
    if (fault === 'overtaken') this.#overtake()
    if (fault === null || fault === 'overtaken' || (fault === 'hang-up' && kind !== 'watch')) return answer()
    this.#note(kind, fault)
    if (fault === 'held') this.#held.push(() => (response.destroyed ? undefined : answer()))
    else this.#refuse(kind, query, response, fault)
  }

  #checkHaste(kind: RequestKind, asked: Millis): void {
    const mayHaste = kind === 'list' && this.#isRefreshDue && this.#requestedLast === 'watch'
    if (asked < this.#notBefore && !mayHaste) this.hasty += 1
    if (kind === 'list') this.#isRefreshDue = false
    this.#requestedLast = kind
    this.#notBefore = 0
  }

  #refuse(kind: RequestKind, query: URLSearchParams, response: ServerResponse, fault: Refusal): void {
    if (fault === '410') this.#positions.delete(query.get('continue') ?? '')
    // a call tries again at once with other credentials, and a list that was forgotten half-way begins again at once
    const mayHaste = kind !== 'watch' && (fault === '401' || fault === '410')
    if (!mayHaste) this.#askForPause(fault === '429' ? retryAfter : 1)
    refuse(response, fault)
  }

  #nextFault(kind: RequestKind): Fault | null {
    const index = this.#script.findIndex(({ on }) => on === 'any' || on === kind)
    return index === -1 ? null : (this.#script.splice(index, 1)[0]?.fault ?? null)
  }

  #overtake(): void {
    const [first] = this.history.objects
    if (first !== undefined) this.remove({ namespace: '', ...first.metadata })
    this.history.compact()
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const first = { version: this.history.version, rest: this.history.objects }
    const token = query.get('continue')
    const position = token === null ? first : this.#positions.get(token)
    if (position === undefined) {
      this.hasty += 1
      return refuse(response, '410')
    }
    const { version, rest } = position
    if (this.history.isForgotten(version)) {
      this.#note('next page', 'compaction')
      this.#positions.delete(token ?? '')
      return refuse(response, '410')
    }
    const left = rest.slice(pageSize)
    const next = left.length === 0 ? '' : `${version}-${left.length}`
    if (next === '') this.listed = version
    else this.#positions.set(next, { version, rest: left })
    const metadata = { resourceVersion: String(version), continue: next }
    response.end(JSON.stringify({ kind: 'NHIGrantList', metadata, items: rest.slice(0, pageSize) }))
  }

  #watch(query: URLSearchParams, response: ServerResponse, asked: Millis): void {
    const from = Number(query.get('resourceVersion'))
    if (this.history.isForgotten(from)) return this.#refuseForgotten(response)
    const watch = new ScriptedWatch(response, (how) => {
      this.#note('watch', how)
      const isInOrder = how === 'end' || how === 'cut-end'
      this.#askForPause(isInOrder && this.#clock.monotonic() - asked >= shortestWatch ? 0 : 1)
    })
    this.#watches.add(watch)
    const timeout = Number(query.get('timeoutSeconds')) * 1_000
    const cancelEnd = this.#clock.after(timeout, () => watch.break('end'))
    const cancelBookmarks = this.#sendBookmarks(watch)
    response.on('close', () => {
      this.#watches.delete(watch)
      cancelEnd()
      cancelBookmarks()
    })
    watch.deliver(this.history.since(from))
  }

  /** Returns how to call them off. */
  #sendBookmarks(watch: ScriptedWatch): () => void {
    const send = (): void => {
      watch.deliver([bookmarkOf(this.history.version)])
      cancel = this.#clock.after(bookmarkInterval, send)
    }
    let cancel = this.#clock.after(bookmarkInterval, send)
    return () => cancel()
  }

  #refuseForgotten(response: ServerResponse): void {
    this.#note('watch', 'compaction')
    this.#askForPause(1)
    if (this.#expired === '410') refuse(response, this.#expired)
    else new ScriptedWatch(response, () => {}).break(this.#expired)
  }

  #askForPause(pause: Millis): void {
    this.#notBefore = this.#clock.monotonic() + pause
  }

  #note(kind: RequestKind, what: string): void {
    const effect = `${kind}: ${what}`
    this.effects.set(effect, (this.effects.get(effect) ?? 0) + 1)
    if (this.#outage !== null) return
    if (kind !== 'watch' || losesPlace.includes(what)) this.reasons.list += 1
    else this.reasons.watch += 1
  }
}

function refuse(response: ServerResponse, fault: Refusal): void {
  switch (fault) {
    case 'reset':
      return void response.socket?.resetAndDestroy()
    case 'cut-off':
      return void response.write('{"type":"ADDED","metadata":', () => response.socket?.destroy())
    case 'malformed':
      return void response.end('{"metadata":\n')
    case 'hang-up':
      return void response.end()
    case '401':
    case '410':
    case '429':
    case '500':
    case '503':
      response.writeHead(Number(fault), fault === '429' ? { 'Retry-After': String(retryAfter / 1_000) } : {})
      return void response.end(JSON.stringify({ kind: 'Status', code: Number(fault) }))
    default:
      return fault satisfies never
  }
}

function bookmarkOf(version: number): object {
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } }
}
