import { open } from 'node:fs/promises'

/** An audit event at Metadata level, `audit.k8s.io/v1`; the fields that tests look at. */
export interface AuditEvent {
  readonly auditID: string
  /** A watch has both. */
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic'
  /** get, list, watch, create, update, patch, delete, deletecollection */
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string; readonly groups?: readonly string[] }
  readonly impersonatedUser?: { readonly username: string; readonly groups?: readonly string[] }
  readonly userAgent?: string
  /** Absent for a path that is no resource, such as /version. */
  readonly objectRef?: {
    readonly resource: string
    readonly apiGroup?: string
    readonly namespace?: string
    readonly name?: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code: number; readonly reason?: string }
  /** RFC 3339 with microseconds. */
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** Whether the request changed, or would have changed, the state of the cluster. */
export function isWrite(event: AuditEvent): boolean {
  return !['get', 'list', 'watch'].includes(event.verb) && event.stage === 'ResponseComplete'
}

/** The API server's audit log, read on from where the last read ended. */
export class AuditLog {
  readonly #path: string
  readonly #events: AuditEvent[] = []
  #offset: number
  /** One after the other: each begins where the last ended. */
  #reading: Promise<readonly AuditEvent[]> = Promise.resolve([])

  /** Events before `offset` (bytes) are left out. */
  constructor(path: string, offset: number) {
    this.#path = path
    this.#offset = offset
  }

  /** Every whole line up to now. */
  read(): Promise<readonly AuditEvent[]> {
    this.#reading = this.#reading.then(() => this.#readOn())
    return this.#reading
  }

  async #readOn(): Promise<readonly AuditEvent[]> {
    const file = await open(this.#path)
    try {
      const { size } = await file.stat()
      const bytes = Buffer.alloc(size - this.#offset)
      await file.read(bytes, 0, bytes.length, this.#offset)
      const end = bytes.lastIndexOf(0x0a) + 1
      this.#offset += end
      for (const line of bytes.toString('utf8', 0, end).split('\n')) {
        if (line !== '') this.#events.push(JSON.parse(line) as AuditEvent)
      }
    } finally {
      await file.close()
    }
    return this.#events
  }
}
