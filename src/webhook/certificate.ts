import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'

/** A certificate chain and its key, both PEM. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

/** tls.crt and tls.key of a directory, as a Secret of type kubernetes.io/tls is mounted. */
export async function readCertificate(directory: string): Promise<CertificatePair> {
  const [cert, key] = await Promise.all(['tls.crt', 'tls.key'].map((name) => readFile(join(directory, name), 'utf8')))
  return { cert: cert ?? '', key: key ?? '' }
}

export interface CertificateWatchOptions {
  readonly directory: string
  /** What is in use at the start. */
  readonly current: CertificatePair
  /** Puts a pair to use; throws when the two do not belong together. */
  readonly install: (pair: CertificatePair) => void
  readonly clock: Clock
  readonly log: Log
}

const interval: Millis = 5_000

/** Puts a renewed certificate to use. One that cannot be read or does not fit is logged once, and the last good one stays. */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions
  #seen: CertificatePair
  #lastFailure = ''
  #isStopped = false
  #callOff: () => void = () => {}

  constructor(options: CertificateWatchOptions) {
    this.#options = options
    this.#seen = options.current
  }

  start(): void {
    if (this.#isStopped) return
    this.#callOff = this.#options.clock.after(interval, () => void this.#look().then(() => this.start()))
  }

  /** For good. */
  stop(): void {
    this.#isStopped = true
    this.#callOff()
  }

  async #look(): Promise<void> {
    const { directory, install, log } = this.#options
    try {
      const found = await readCertificate(directory)
      if (found.cert === this.#seen.cert && found.key === this.#seen.key) return
      this.#seen = found
      install(found)
      this.#lastFailure = ''
      log.info('certificate renewed')
    } catch (error) {
      const failure = String(error)
      if (failure !== this.#lastFailure) log.error('certificate not usable; the last good one stays', { error })
      this.#lastFailure = failure
    }
  }
}
