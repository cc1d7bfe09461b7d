import { digestOf } from '../api/v1alpha1/digest.ts'
import { chained } from '../core/audit/chain.ts'
import type { AuditEntry, AuditRecord, Evidence, Opened, Tip } from '../core/audit/record.ts'
import { formatInstant, type Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Journal, Opening } from './journal.ts'
import type { AuditSink } from './ports.ts'

export interface AuditLogOptions {
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Log
  /** Who writes: it is in the first record. */
  readonly writer: Pick<Opened, 'process' | 'version' | 'instance'>
  /** A name that no other chain has. */
  readonly newChain: () => string
}

/** An append that takes longer has failed for those who wait: nobody's end may wait behind a disk that hangs. */
export const appendWithin: Millis = 2_000

interface Pending {
  readonly evidence: readonly Evidence[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

class AuditLogHangs extends Error {
  override readonly name = 'AuditLogHangs'

  constructor() {
    super(`an append to the audit log takes longer than ${appendWithin / 1_000} s`)
  }
}

/** One chain of records. What is given while an append is under way goes into the next one, all at once. */
export class AuditLog implements AuditSink {
  readonly #options: AuditLogOptions
  /** Of what was appended last by this process. */
  #tip: Tip | null = null
  #pending: Pending[] = []
  /** Until nothing is pending; null: nothing is. */
  #appending: Promise<void> | null = null
  #fails = false
  /** An append takes longer than it may; what comes meanwhile is refused at once. */
  #hangs = false

  constructor(options: AuditLogOptions) {
    this.#options = options
  }

  /** Whether the last append failed. */
  get fails(): boolean {
    return this.#fails
  }

  write(evidence: readonly Evidence[]): Promise<void> {
    if (this.#hangs) return Promise.reject(new AuditLogHangs())
    return new Promise((resolve, reject) => {
      this.#pending.push({ evidence, resolve, reject })
      this.#appending ??= this.#appendAll()
    })
  }

  /** Resolves when nothing is pending any more, and closes the journal. */
  async close(): Promise<void> {
    await this.#appending
    await this.#options.journal.close()
  }

  async #appendAll(): Promise<void> {
    await Promise.resolve() // whatever is given in the same turn goes along
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      const callOff = this.#options.clock.after(appendWithin, () => this.#noteHang(batch))
      try {
        await this.#append(batch.flatMap(({ evidence }) => evidence))
        this.#noteSuccess()
        for (const { resolve } of batch) resolve()
      } catch (error) {
        this.#noteFailure(error)
        for (const { reject } of batch) reject(error)
      } finally {
        callOff()
        this.#hangs = false
      }
    }
    this.#appending = null
  }

  /** What was given may still be written, and once more when it is given again: there twice rather than not at all. */
  #noteHang(batch: readonly Pending[]): void {
    const error = new AuditLogHangs()
    this.#hangs = true
    this.#noteFailure(error)
    const waiting = [...batch, ...this.#pending]
    this.#pending = []
    for (const { reject } of waiting) reject(error)
  }

  async #append(evidence: readonly Evidence[]): Promise<void> {
    const opening = await this.#options.journal.open()
    const records = this.#recordsOf(opening, evidence)
    const last = records.at(-1)
    if (last === undefined) return
    await this.#options.journal.append(records.map((record) => `${JSON.stringify(record)}\n`).join(''))
    this.#tip = last
  }

  /**
   * A process goes on with the chain that it finds. In a place of which it knows already it goes on with what it finds
   * there too, unless records of its own are missing: then with those, so that the gap shows.
   */
  #recordsOf(opening: Opening, evidence: readonly Evidence[]): readonly AuditRecord[] {
    switch (opening.kind) {
      case 'Same':
        return this.#chained(this.#tip, evidence)
      case 'Empty':
        return this.#chained(this.#tip, [this.#opened(this.#tip === null ? 'New' : 'Rotated'), ...evidence])
      case 'Found': {
        const torn = opening.torn.map((digest) => ({ kind: 'TornLine', time: this.#now(), digest }) as const)
        const own = this.#tip
        const isAhead = opening.tip?.chain !== own?.chain || (opening.tip?.sequence ?? -1) >= (own?.sequence ?? 0)
        const tip = opening.tip !== null && isAhead ? opening.tip : own
        const opened = this.#reopened(opening.tip, tip)
        return this.#chained(tip, [...opened, ...torn, ...evidence])
      }
    }
  }

  /** What the process goes on with itself needs no word of its own. */
  #reopened(found: Tip | null, tip: Tip | null): readonly Opened[] {
    if (found === null) return [this.#opened(tip === null ? 'New' : 'Rotated')]
    return tip?.hash === this.#tip?.hash ? [] : [this.#opened('Restarted')]
  }

  #chained(tip: Tip | null, entries: readonly AuditEntry[]): readonly AuditRecord[] {
    const chain = tip?.chain ?? this.#options.newChain()
    return chained(entries, { chain, tip, digest: digestOf })
  }

  #opened(how: Opened['how']): Opened {
    return { kind: 'Opened', time: this.#now(), how, ...this.#options.writer }
  }

  #now(): string {
    return formatInstant(this.#options.clock.now())
  }

  #noteSuccess(): void {
    if (this.#fails) this.#options.log.info('audit records are written again')
    this.#fails = false
  }

  #noteFailure(error: unknown): void {
    if (!this.#fails) this.#options.log.error('audit records cannot be written: nothing is issued', { error })
    this.#fails = true
  }
}
