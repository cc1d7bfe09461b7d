const reasons = {
  400: 'BadRequest',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'Timeout',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  500: 'InternalError',
} as const
export type HttpFailure = keyof typeof reasons

/** An answer to what is no review: HTTP status and JSON. */
export interface Reply {
  readonly status: number
  readonly body: string
}

/** A metav1.Status, the form in which Kubernetes components tell each other failures. */
export function failure(status: HttpFailure, message: string): Reply {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: reasons[status],
    code: status,
  }
  return { status, body: JSON.stringify(body) }
}
