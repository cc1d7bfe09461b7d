import { hashOf, readRecord, type Digest } from './chain.ts'
import { recordMark, type AuditRecord, type Tip } from './record.ts'

export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** Where the chain does not hold. */
export interface Break extends Place {
  readonly expected: string
  readonly found: string
}

export interface ChainReport {
  readonly chain: string
  readonly records: number
  /** Sequence of the first record; above 0: what was before is not here. */
  readonly first: number
  readonly last: Tip
}

export interface ChainVerdict {
  /** null: it is proved. */
  readonly break: Break | null
  /** Before the break, if there is one. */
  readonly records: number
  /** Times of the first and the last of them; null: there is none. */
  readonly from: string | null
  readonly to: string | null
  readonly chains: readonly ChainReport[]
  /** Lines that were cut off in the middle, and named by the record that follows. */
  readonly torn: number
  /** Lines of a log that are no records. */
  readonly ignored: number
}

interface VerifierOptions {
  readonly digest: Digest
  /**
   * file: whole files of one chain after another, in which every line counts. log: a stream in which the records of
   * several chains stand among other lines, and which may begin anywhere.
   */
  readonly source: 'file' | 'log'
}

/** Follows chains line by line, up to the first line that does not fit. */
export class ChainVerifier {
  readonly #options: VerifierOptions
  readonly #chains = new Map<string, ChainReport>()
  /** Chain of the record that was read last. */
  #current: string | null = null
  #file = ''
  #line = 0
  /** Records in this file. */
  #inFile = 0
  #broken: Break | null = null
  #records = 0
  #times: readonly [from: string, to: string] | null = null
  /** Lines that cannot be read and that no record has named yet. */
  #unnamed: (Place & { readonly digest: string })[] = []
  #torn = 0
  #ignored = 0

  constructor(options: VerifierOptions) {
    this.#options = options
  }

  begin(file: string): void {
    this.#settle()
    this.#file = file
    this.#line = 0
    this.#inFile = 0
  }

  /** Without its line feed. `digest` is that of its bytes; it is asked for lines that are no records. */
  read(text: string, digest: () => string): void {
    this.#line += 1
    if (this.#broken !== null) return
    const body = this.#options.source === 'log' ? textOfRecord(text) : text
    if (body === null) {
      this.#ignored += 1
      return
    }
    const record = readRecord(body)
    if (record === null) this.#unreadable(digest)
    else this.#follow(record, body)
  }

  end(): ChainVerdict {
    this.#settle()
    return {
      break: this.#broken,
      records: this.#records,
      from: this.#times?.[0] ?? null,
      to: this.#times?.[1] ?? null,
      chains: [...this.#chains.values()],
      torn: this.#torn,
      ignored: this.#ignored,
    }
  }

  #unreadable(digest: () => string): void {
    if (this.#options.source === 'log') return this.#breakAt('a record', 'a line that cannot be read')
    this.#unnamed.push({ file: this.#file, line: this.#line, digest: digest() })
  }

  #follow(record: AuditRecord, text: string): void {
    const hash = hashOf(record, this.#options.digest)
    if (hash === null) return this.#breakAt('a record', 'one that holds half a character')
    if (record.hash !== hash) return this.#breakAt(`hash ${hash}`, `hash ${record.hash}`)
    if (this.#options.source === 'file' && JSON.stringify(record) !== text)
      return this.#breakAt('a record as it was written', 'the same record, written otherwise')
    const before = this.#chains.get(record.chain)
    const problem = before === undefined ? this.#beginning(record) : this.#continuation(record, before)
    if (problem !== null) return this.#breakAt(...problem)
    if (!this.#namesTornLines(record)) return
    const { chain, sequence } = record
    const last = { chain, sequence, hash }
    this.#chains.set(chain, { chain, records: (before?.records ?? 0) + 1, first: before?.first ?? sequence, last })
    this.#current = chain
    this.#records += 1
    this.#inFile += 1
    this.#times = [this.#times?.[0] ?? record.time, record.time]
  }

  #beginning(record: AuditRecord): readonly [expected: string, found: string] | null {
    const found = describe(record)
    const isNew = record.kind === 'Opened' && record.how === 'New'
    if (isNew || record.sequence === 0)
      return isNew && record.sequence === 0 && record.previous === null
        ? this.#onlyFirstInFile(found)
        : ['the beginning of a chain: Opened, New, sequence 0, previous null', found]
    if (this.#options.source === 'log') return null
    const isRotated = record.kind === 'Opened' && record.how === 'Rotated'
    if (isRotated && this.#current === null && this.#inFile === 0) return null
    return [this.#current === null ? 'the beginning of a chain, or of a file' : this.#next(this.#current), found]
  }

  #onlyFirstInFile(found: string): readonly [expected: string, found: string] | null {
    if (this.#options.source === 'log' || this.#inFile === 0) return null
    return [this.#next(this.#current ?? ''), `the beginning of another chain: ${found}`]
  }

  #continuation(record: AuditRecord, { chain, last }: ChainReport): readonly [expected: string, found: string] | null {
    const isInPlace = record.sequence === last.sequence + 1 && record.previous === last.hash
    const isCurrent = this.#options.source === 'log' || chain === this.#current
    if (!isInPlace || !isCurrent) return [this.#next(isCurrent ? chain : (this.#current ?? '')), describe(record)]
    const opensFile = record.kind === 'Opened' && record.how === 'Rotated'
    if (this.#options.source === 'file' && this.#inFile === 0 && !opensFile)
      return ['the beginning of a file: Opened, Rotated', describe(record)]
    return null
  }

  #next(chain: string): string {
    const tip = this.#chains.get(chain)?.last
    return tip === undefined ? 'a record' : `sequence ${tip.sequence + 1} after ${tip.hash}`
  }

  /** A line that cannot be read is excused by a record that names it, before anything else is on record. */
  #namesTornLines(record: AuditRecord): boolean {
    const [first, ...rest] = this.#unnamed
    if (record.kind === 'TornLine') {
      if (first?.digest === record.digest) {
        this.#unnamed = rest
        this.#torn += 1
        return true
      }
      this.#breakAt(`the torn line ${record.digest}`, first === undefined ? 'none' : first.digest)
      return false
    }
    if (first === undefined || record.kind === 'Opened') return true
    this.#settle()
    return false
  }

  /** What cannot be read and was not named is where the chain breaks. */
  #settle(): void {
    const [first] = this.#unnamed
    this.#unnamed = []
    if (first !== undefined && this.#broken === null)
      this.#broken = {
        file: first.file,
        line: first.line,
        expected: 'a record',
        found: 'a line that cannot be read, and that no record names as torn',
      }
  }

  #breakAt(expected: string, found: string): void {
    this.#settle()
    this.#broken ??= { file: this.#file, line: this.#line, expected, found }
  }
}

/** Whatever collects logs may put something in front of a line, such as a time. */
function textOfRecord(line: string): string | null {
  const start = line.indexOf(`{"${recordMark}":`)
  return start === -1 ? null : line.slice(start).trimEnd()
}

function describe({ kind, sequence, previous }: AuditRecord): string {
  return `${kind}, sequence ${sequence} after ${previous ?? 'nothing'}`
}
