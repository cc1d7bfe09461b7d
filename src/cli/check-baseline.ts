import type { Severity } from '../core/finding.ts'
import { entryOf, keyOf, type BaselineEntry } from './check-baseline-entry.ts'
import { isDenying, judgementOf, type Judgement } from './check-finding.ts'
import type { Placed } from './check-world.ts'

/**
 * Tells what was put up with before from what is new. A finding is the same when all of its entry is, and its severity no
 * higher: what was moved within its list or to another file is, what says or names something else is not.
 */
export class Baseline {
  /** How many of each may still come, and how bad they may be. */
  readonly #left = new Map<string, { readonly entry: BaselineEntry; count: number }>()
  #used = 0

  constructor(entries: readonly BaselineEntry[]) {
    for (const entry of entries) {
      const count = (this.#left.get(keyOf(entry))?.count ?? 0) + (entry.count ?? 1)
      this.#left.set(keyOf(entry), { entry, count })
    }
  }

  /** Marks what the baseline has; each entry is good for as many findings as it says. */
  apply(object: Placed, name: string, judgement: Judgement): Judgement {
    let marked = false
    const findings = judgement.findings.map((finding) => {
      if (!isDenying(finding) || !this.#take(entryOf(object, name, finding))) return finding
      marked = true
      return { ...finding, isBaselined: true }
    })
    return marked ? { ...judgement, ...judgementOf(findings) } : judgement
  }

  /** How many findings were marked. */
  get used(): number {
    return this.#used
  }

  /** What the baseline has and nobody found any more. */
  get stale(): readonly BaselineEntry[] {
    return [...this.#left.values()].filter(({ count }) => count > 0).map(({ entry, count }) => ({ ...entry, count }))
  }

  #take(entry: BaselineEntry): boolean {
    const left = this.#left.get(keyOf(entry))
    if (left === undefined || left.count === 0 || rank[entry.severity] > rank[left.entry.severity]) return false
    left.count--
    this.#used++
    return true
  }
}

const rank: Readonly<Record<Severity, number>> = { Critical: 4, High: 3, Medium: 2, Low: 1, Info: 0 }

/** Puts up with everything that denies, and keeps what it was: the baseline to be written. */
export class BaselineRecord {
  readonly #entries = new Map<string, BaselineEntry>()
  #used = 0

  apply(object: Placed, name: string, judgement: Judgement): Judgement {
    if (!judgement.findings.some(isDenying)) return judgement
    const findings = judgement.findings.map((finding) => {
      if (!isDenying(finding)) return finding
      this.#add(entryOf(object, name, finding))
      return { ...finding, isBaselined: true }
    })
    return { ...judgement, ...judgementOf(findings) }
  }

  /** How many findings were marked. */
  get used(): number {
    return this.#used
  }

  /** Sorted, and once each. */
  get entries(): readonly BaselineEntry[] {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  }

  #add(entry: BaselineEntry): void {
    const known = this.#entries.get(keyOf(entry))
    const worse = known !== undefined && rank[known.severity] > rank[entry.severity] ? known : entry
    this.#entries.set(keyOf(entry), known === undefined ? entry : { ...worse, count: (known.count ?? 1) + 1 })
    this.#used++
  }
}
