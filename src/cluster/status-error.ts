import type { Millis } from '../core/time.ts'
import {
  type ClusterError,
  Conflict,
  type ConflictReason,
  type FieldCause,
  Forbidden,
  Gone,
  Invalid,
  NotFound,
  type RequestLine,
  ServerError,
  TooManyRequests,
  Unauthorized,
  Unavailable,
} from './errors.ts'

/** The parts of a metav1.Status that are read; all of them may be missing. */
interface Status {
  readonly message?: unknown
  readonly reason?: unknown
  readonly details?: { readonly name?: unknown; readonly causes?: unknown; readonly retryAfterSeconds?: unknown } | null
}

const unavailable: ReadonlySet<number> = new Set([502, 503, 504])
const defaultRetryAfter: Millis = 1_000
/** The API server itself asks for a few seconds; whatever asks for hours must not stop a watch for so long. */
const longestRetryAfter: Millis = 60_000

/** The typed error of an HTTP status from 400 on. `body` is the parsed answer; anything but a Status is ignored. */
export function errorOfStatus(request: RequestLine, code: number, body: unknown, retryAfter = ''): ClusterError {
  const status: Status = typeof body === 'object' && body !== null ? body : {}
  const message = textOf(status.message) || `HTTP status ${code}`
  switch (code) {
    case 400:
    case 422:
      return new Invalid(request, message, causesOf(status))
    case 401:
      return new Unauthorized(request, message)
    case 403:
      return new Forbidden(request, message)
    case 404:
      return new NotFound(request, message, textOf(status.details?.name) === '' ? 'resource' : 'object')
    case 409:
      return new Conflict(request, message, conflictReasonOf(status))
    case 410:
      return new Gone(request, message)
    case 429:
      return new TooManyRequests(request, message, retryAfterOf(status, retryAfter))
    default:
      return serverErrorOf(request, message, code)
  }
}

function serverErrorOf(request: RequestLine, message: string, code: number): ServerError {
  return unavailable.has(code) ? new Unavailable(request, message, code) : new ServerError(request, message, code)
}

function conflictReasonOf({ reason }: Status): ConflictReason {
  return reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict'
}

function causesOf({ details }: Status): readonly FieldCause[] {
  const causes = Array.isArray(details?.causes) ? (details.causes as readonly Record<string, unknown>[]) : []
  return causes.map(({ field, message }) => ({ field: textOf(field), message: textOf(message) }))
}

/** The header in its form of whole seconds (the API server uses no other), then the Status, then a default. */
function retryAfterOf({ details }: Status, header: string): Millis {
  const seconds = /^\d+$/.test(header) ? Number(header) : details?.retryAfterSeconds
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds * 1_000, longestRetryAfter) : defaultRetryAfter
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
