import type { Instant, Millis } from '../core/time.ts'

/** Who leads, as all candidates see it. The instants are the holder's own and for people to read: clocks differ. */
export interface LeaseRecord {
  /** Empty: nobody. */
  readonly holder: string
  /** For how long after a renewal that he has seen nobody else may take it. */
  readonly duration: Millis
  readonly acquired: Instant
  readonly renewed: Instant
  /** How often it has gone from one holder to another. */
  readonly transitions: number
}

export interface StoredLease {
  readonly record: LeaseRecord
  /** Another one with each write. */
  readonly version: string
}

/** Where the record is kept. Both methods throw when there is no answer within `timeout`; a write may have taken place then. */
export interface LeaseStore {
  /** The newest one; null: there is none. */
  read(timeout: Millis): Promise<StoredLease | null>
  /** Replaces the version that is named, or creates the record; null: somebody else was first, and nothing was written. */
  write(record: LeaseRecord, over: string | null, timeout: Millis): Promise<StoredLease | null>
}
