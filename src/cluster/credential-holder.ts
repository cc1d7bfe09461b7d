import { createSecureContext } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { formatDuration, type Instant, type Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Credentials, TlsOptions } from './credentials.ts'

/** Where credentials come from, as the kubeconfig said when it was read. */
export interface CredentialSource {
  /** The signal ends it. */
  read(signal: AbortSignal): Promise<Reading>
}

export interface Reading {
  readonly credentials: Credentials
  /** When they are over by their own account; Infinity: they do not say. */
  readonly expires: Instant
}

const freshFor: Millis = 10_000
/** After a failure and after a renewal, until the next: an exec plugin must not run in a loop. */
const pause: Millis = 1_000
const patience: Millis = 10_000

/** Keeps what was read last, and knows when to read again. */
export class CredentialHolder {
  readonly #readAgain: () => CredentialSource
  readonly #clock: Clock
  #source: CredentialSource
  #isOutdated = false
  #held: Reading | null = null
  #answer: Promise<Credentials> | null = null
  /** Monotonic, as is the next. Infinity: it is being read. */
  #readAgainAt: Millis = 0
  /** Infinity: a renewal is asked for or being read. */
  #renewableAt: Millis = 0
  #turn = 0

  constructor(source: CredentialSource, readAgain: () => CredentialSource, clock: Clock) {
    this.#source = source
    this.#readAgain = readAgain
    this.#clock = clock
  }

  credentials(): Promise<Credentials> {
    if (this.#answer !== null && this.#clock.monotonic() < this.#readAgainAt) return this.#answer
    // all who ask while it is read get the same answer
    this.#readAgainAt = Infinity
    this.#answer = this.#read()
    return this.#answer
  }

  renew(): void {
    const now = this.#clock.monotonic()
    if (now < this.#renewableAt) return
    this.#renewableAt = Infinity
    this.#isOutdated = true
    this.#readAgainAt = now
    this.#turn += 1
  }

  /** A reading that a renewal has overtaken changes nothing. */
  async #read(): Promise<Credentials> {
    this.#turn += 1
    const turn = this.#turn
    try {
      const source = this.#isOutdated ? this.#readAgain() : this.#source
      const reading = this.#withSameTls(await inTime(source, this.#clock))
      if (turn === this.#turn) {
        this.#source = source
        this.#isOutdated = false
        this.#held = reading
      }
      return reading.credentials
    } catch (error) {
      if (this.#held === null || this.#remaining() <= 0) throw error
      return this.#held.credentials
    } finally {
      if (turn === this.#turn) this.#plan()
    }
  }

  #plan(): void {
    const now = this.#clock.monotonic()
    this.#readAgainAt = now + Math.max(pause, Math.min(freshFor, this.#remaining()))
    if (this.#renewableAt === Infinity) this.#renewableAt = now + pause
  }

  /** How long what is held will hold by its own account. */
  #remaining(): Millis {
    return this.#held === null ? 0 : this.#held.expires - this.#clock.now()
  }

  #withSameTls(reading: Reading): Reading {
    const { tls, headers } = reading.credentials
    const held = this.#held?.credentials.tls
    if (held !== undefined && isDeepStrictEqual(tls, held)) return { ...reading, credentials: { tls: held, headers } }
    requireUsable(tls)
    return reading
  }
}

function inTime(source: CredentialSource, clock: Clock): Promise<Reading> {
  const abort = new AbortController()
  const late = Promise.withResolvers<never>()
  const callOff = clock.after(patience, () => {
    late.reject(new Error(`the exec plugin or auth-provider gave no answer within ${formatDuration(patience)}`))
    abort.abort()
  })
  return Promise.race([source.read(abort.signal), late.promise]).finally(callOff)
}

/** Files that are just being replaced may not belong together. */
function requireUsable(tls: TlsOptions): void {
  try {
    createSecureContext(tls)
  } catch (error) {
    const reason = (error as Error).message
    throw new Error(`CA, client certificate and key are not usable together: ${reason}`, { cause: error })
  }
}
