/** The form of a record; another one gets another name. */
export const recordForm = 'v1'

/** The first field of every record, by which its line is known among others. */
export const recordMark = 'lapse.audit'

/** What is put on record of a grant. The union is closed: whoever reads records may rely on it. */
export type EvidenceKind =
  /** It cannot be issued yet; message says what is missing. */
  | 'Waiting'
  /** Somebody who may has agreed. */
  | 'Approved'
  /** The decision that gives access: written before the first object exists. */
  | 'Issuing'
  /** Its objects exist. */
  | 'Issued'
  /** It will end earlier than was on record. */
  | 'Shortened'
  /** What carries it differs from what was issued, or does so no more; message says how. */
  | 'Drift'
  | 'Denied'
  /** Its objects are being removed. */
  | 'Ending'
  /** Its objects are gone. */
  | 'Ended'
  /** The API server denies what was granted, or there was nothing to deny. */
  | 'RevocationVerified'
  /** It does not; message says why. */
  | 'RevocationUnverified'
  | 'Reviewed'
  /** Pods of who had the access were evicted, or could not be; message says which. */
  | 'PodsEvicted'
  /** It has ended, was kept for as long as its policy says, and is deleted. */
  | 'Discarded'

/** Evidence about one grant. Of its content only what is listed here, so that no token and no request body gets in. */
export interface Evidence {
  readonly kind: EvidenceKind
  /** RFC 3339, UTC: by the clock of whoever writes. */
  readonly time: string
  readonly grant: {
    readonly kind: string
    /** null: it belongs to the cluster. */
    readonly namespace: string | null
    readonly name: string
    readonly uid: string
  }
  /** Who brought this about: a user name, or `lapse` where nobody did but time or a rule. */
  readonly actor: string
  /** As the API server authenticated him; null: not stamped. */
  readonly requestedBy: string | null
  /** The user name, or group name, that has the access. */
  readonly subject: string
  /** version and digest null: none has been chosen. */
  readonly policy: { readonly name: string; readonly version: string | null; readonly digest: string | null }
  readonly permissions: readonly string[]
  readonly waive: readonly string[]
  /** Digest of the rules that were issued; null: none were. */
  readonly rules: string | null
  /** null: nothing was issued. */
  readonly notAfter: string | null
  /** Why it was asked for. */
  readonly reason: string
  readonly ticket: string | null
  /** What happened, in words. */
  readonly message: string
}

/** A process begins to write, and where: the first record of every file, and of every process that goes on with one. */
export interface Opened {
  readonly kind: 'Opened'
  readonly time: string
  /** New: a chain begins. Restarted: in a file that has records. Rotated: in a new file, after the last record of another. */
  readonly how: 'New' | 'Restarted' | 'Rotated'
  readonly process: string
  readonly version: string
  readonly instance: string
}

/** A line that was cut off in the middle, by a crash or a full disk; it stays where it is. */
export interface TornLine {
  readonly kind: 'TornLine'
  readonly time: string
  /** Of its bytes. */
  readonly digest: string
}

export type AuditEntry = Evidence | Opened | TornLine

/** An entry in its place. A record's hash is the digest of all of it but the hash itself. */
export type AuditRecord = AuditEntry & {
  readonly [recordMark]: typeof recordForm
  /** One for all records that hang together. */
  readonly chain: string
  /** From 0, without gaps. */
  readonly sequence: number
  /** Hash of the record before; null: there is none. */
  readonly previous: string | null
  readonly hash: string
}

/** The end of a chain, at which it goes on. */
export interface Tip {
  readonly chain: string
  readonly sequence: number
  readonly hash: string
}
