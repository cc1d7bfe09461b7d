import { X509Certificate } from 'node:crypto'
import type { Instant } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { CertificatePair } from './certificate.ts'
import type { AdmissionServer } from './server.ts'

interface Validity {
  readonly notBefore: Instant
  readonly notAfter: Instant
}

/** The certificate that the server serves with, and for how long the API server will accept it. */
export class ServingCertificate {
  readonly #server: Pick<AdmissionServer, 'replaceCertificate'>
  readonly #clock: Clock
  #validity: Validity

  /** `current` is what the server was started with. Throws when it is no certificate. */
  constructor(server: Pick<AdmissionServer, 'replaceCertificate'>, current: CertificatePair, clock: Clock) {
    this.#server = server
    this.#clock = clock
    this.#validity = validityOf(current)
  }

  /** Throws, and changes nothing, when it is no certificate or its key is another's. */
  replace(pair: CertificatePair): void {
    const validity = validityOf(pair)
    this.#server.replaceCertificate(pair)
    this.#validity = validity
  }

  get isValid(): boolean {
    const now = this.#clock.now()
    return now >= this.#validity.notBefore && now < this.#validity.notAfter
  }

  get notAfter(): Instant {
    return this.#validity.notAfter
  }
}

function validityOf({ cert }: CertificatePair): Validity {
  const { validFromDate, validToDate } = new X509Certificate(cert)
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() }
}
