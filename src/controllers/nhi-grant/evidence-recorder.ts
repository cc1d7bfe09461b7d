import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { AuditSink } from '../../audit/ports.ts'
import type { KubeObject } from '../../cluster/ports.ts'
import type { Evidence } from '../../core/audit/record.ts'
import type { Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { GrantCarrier } from './carrier.ts'
import { evidenceOfOrphan, evidenceOfOverdue } from './evidence-of-binding.ts'
import { evidenceOfDeletion, evidenceOfDiscard, evidenceOfEnding, evidenceOfStatus, takesOnly } from './evidence.ts'

/** Evidence that is owed is tried to be written at this interval, until it is. */
const retryInterval: Millis = 1_000

/**
 * Puts a grant's life on record. More access waits for its record, and so does the status that says of an end that it came;
 * less access waits for none: its record is owed, and comes as soon as one can be written.
 */
export class EvidenceRecorder {
  readonly #audit: AuditSink
  readonly #clock: Clock
  #owed: readonly Evidence[] = []
  #triesAgain = false

  constructor(parts: { readonly audit: AuditSink; readonly clock: Clock }) {
    this.#audit = parts.audit
    this.#clock = parts.clock
  }

  /** Before the status is written: it is not, when this rejects. */
  async ofStatus(grant: NHIGrant, status: NonNullable<NHIGrant['status']>): Promise<void> {
    const evidence = evidenceOfStatus(grant, status, this.#clock.now())
    if (evidence.length === 0) return
    if (evidence.every(takesOnly)) void this.#owe(evidence)
    else await this.#write(evidence)
  }

  /** The removal of its objects begins. */
  ofEnding(grant: NHIGrant, message: string): void {
    void this.#owe([evidenceOfEnding(grant, message, this.#clock.now())])
  }

  /** The objects of a grant that is gone itself are removed. */
  ofDeletion(gone: NHIGrant): void {
    const evidence = evidenceOfDeletion(gone, this.#clock.now())
    if (evidence !== null) void this.#owe([evidence])
  }

  /** Before the object of an ended grant is deleted: it is not, when this rejects. */
  ofDiscard(grant: NHIGrant): Promise<void> {
    return this.#write([evidenceOfDiscard(grant, this.#clock.now())])
  }

  /** A binding was removed whose grant is gone or has ended. */
  ofOrphan(binding: KubeObject): void {
    void this.#owe([evidenceOfOrphan(binding, this.#clock.now())])
  }

  /** The removal of a binding begins whose end came while no controller worked. */
  ofOverdue(binding: GrantCarrier): void {
    void this.#owe([evidenceOfOverdue(binding, this.#clock.now())])
  }

  /** With what is owed before it. */
  async #write(evidence: readonly Evidence[]): Promise<void> {
    const owed = this.#owed
    this.#owed = []
    try {
      await this.#audit.write([...owed, ...evidence])
    } catch (error) {
      this.#owed = [...owed, ...this.#owed]
      this.#tryAgain()
      throw error
    }
  }

  /** Never rejects. */
  async #owe(evidence: readonly Evidence[]): Promise<void> {
    try {
      await this.#write(evidence)
    } catch {
      this.#owed = [...this.#owed, ...evidence]
      this.#tryAgain()
    }
  }

  #tryAgain(): void {
    if (this.#triesAgain || this.#owed.length === 0) return
    this.#triesAgain = true
    this.#clock.after(retryInterval, () => {
      this.#triesAgain = false
      if (this.#owed.length > 0) void this.#owe([])
    })
  }
}
