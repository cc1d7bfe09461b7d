import type { Instant, Millis } from '../core/time.ts'
import type { EventNote } from './ports.ts'

/** What of a note goes into its Event; the regarded object by its reference only. */
export interface EventContent extends Omit<EventNote, 'regarding'> {
  readonly regarding: {
    readonly apiVersion: string
    readonly kind: string
    /** Absent for a cluster-scoped object. */
    readonly namespace?: string
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
  }
}

/** One Event with its repeats, as far as they are known here. */
export interface EventSeries {
  readonly key: string
  readonly name: string
  readonly content: EventContent
  readonly firstAt: Instant
  lastAt: Instant
  /** When it was last seen; monotonic, as every age. */
  seenAt: Millis
  /** When its last write began. */
  writtenAt: Millis
  /** How often it was seen. */
  count: number
  /** How many of these the API server knows of; 0: it has no such Event. */
  written: number
  /** Calls off the write that its repeats wait for; null: none is set. */
  callOff: (() => void) | null
}

const mostRemembered = 1_000
/** Whatever is seen again after a longer pause is news. */
const longestPause: Millis = 360_000

/** Which notes are repeats of one another. */
export function keyOf({ regarding, type, reason, action, note }: EventContent): string {
  return JSON.stringify([regarding.uid, type, reason, action, note])
}

/** The Events that a repeat may still be added to; of too many, those that were seen last. */
export class EventMemory {
  readonly #series = new Map<string, EventSeries>()

  /** null: there is none of this key, or its last repeat is too long ago. */
  find(key: string, now: Millis): EventSeries | null {
    const found = this.#series.get(key)
    return found === undefined || now - found.seenAt > longestPause ? null : found
  }

  /** The newest from now on, in the place of another of its key. Returns what is forgotten for it. */
  keep(series: EventSeries): EventSeries | null {
    const before = this.#series.get(series.key)
    this.#series.delete(series.key)
    this.#series.set(series.key, series)
    if (before !== undefined) return before === series ? null : before
    const [oldest] = this.#series.values()
    if (oldest === undefined || this.#series.size <= mostRemembered) return null
    this.#series.delete(oldest.key)
    return oldest
  }

  all(): readonly EventSeries[] {
    return [...this.#series.values()]
  }
}
