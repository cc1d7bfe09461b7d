import type { Millis } from '../core/time.ts'

/** One request to the API server, as far as a log may know it. */
export interface RequestLine {
  readonly method: string
  /** Without the query. */
  readonly path: string
}

/** Any failure of a call. The message is the API server's own sentence, the verb and the path; never a body or a header. */
export class ClusterError extends Error {
  readonly request: RequestLine

  constructor(request: RequestLine, message: string) {
    super(`${message} (${request.method} ${request.path})`)
    this.name = new.target.name
    this.request = request
  }
}

/** object: there is none of that name. resource: the API server does not serve that kind at all. */
export type Missing = 'object' | 'resource'

export class NotFound extends ClusterError {
  readonly missing: Missing

  constructor(request: RequestLine, message: string, missing: Missing) {
    super(request, message)
    this.missing = missing
  }
}

/** Not authenticated: the credentials are missing, wrong or over. */
export class Unauthorized extends ClusterError {}

/** Nothing was sent: the credentials could not be had, or not in time. */
export class NoCredentials extends Unauthorized {}

/** Not permitted, or refused by admission. */
export class Forbidden extends ClusterError {}

export type ConflictReason = 'AlreadyExists' | 'Conflict'

/** AlreadyExists: the name is taken. Conflict: the object is not the version, or not the UID, that was named. */
export class Conflict extends ClusterError {
  readonly reason: ConflictReason

  constructor(request: RequestLine, message: string, reason: ConflictReason) {
    super(request, message)
    this.reason = reason
  }
}

export interface FieldCause {
  /** Such as `spec.duration`; empty for the object as a whole. */
  readonly field: string
  readonly message: string
}

/** The API server refuses the object or the request as malformed (400, 422). */
export class Invalid extends ClusterError {
  readonly causes: readonly FieldCause[]

  constructor(request: RequestLine, message: string, causes: readonly FieldCause[]) {
    super(request, message)
    this.causes = causes
  }
}

/** The resource version or the list position that was named is no longer kept (410). */
export class Gone extends ClusterError {}

export class TooManyRequests extends ClusterError {
  /** What the API server asks for, a minute at most; 1 s when it names nothing. */
  readonly retryAfter: Millis

  constructor(request: RequestLine, message: string, retryAfter: Millis) {
    super(request, message)
    this.retryAfter = retryAfter
  }
}

/** No answer: refused, reset, timed out or cut off. Whether a write took place is unknown. */
export class Unreachable extends ClusterError {}

/** Not sent, because this process may not write any more: it does not hold the lease. */
export class Fenced extends ClusterError {
  constructor(request: RequestLine) {
    super(request, 'not sent: this process does not hold the lease')
  }
}

/** Any other status. */
export class ServerError extends ClusterError {
  /** The HTTP status. */
  readonly status: number

  constructor(request: RequestLine, message: string, status: number) {
    super(request, message)
    this.status = status
  }
}

/** Whoever answered has no API server behind it, or one that is not ready (502, 503, 504). Whether a write took place is unknown. */
export class Unavailable extends ServerError {}

/** An answer that is not what the API promises. The status is the one for that, whatever the answer's own. */
export class Malformed extends ServerError {
  constructor(request: RequestLine, message: string) {
    super(request, message, 502)
  }
}
