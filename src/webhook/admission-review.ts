import { isObject, type JsonObject } from '../api/validate.ts'
import { anyObject, listOf, objectOf, text } from '../core/workload/shape.ts'

const operations = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const
export type Operation = (typeof operations)[number]

/** What a review looks at of an admission.k8s.io/v1 AdmissionRequest. A dry run is judged like any other request. */
export interface AdmissionRequest {
  readonly uid: string
  /** What `object` and `oldObject` are: the kind that the webhook's rules name, whatever version the client sent. */
  readonly group: string
  readonly kind: string
  /** Empty: the object itself. */
  readonly subResource: string
  readonly operation: Operation
  /** Empty: cluster-scoped. */
  readonly namespace: string
  /** Empty while the API server has yet to choose it. */
  readonly name: string
  readonly user: { readonly username: string; readonly groups: readonly string[] }
  /** There on CREATE and UPDATE. */
  readonly object: JsonObject | null
  /** There on UPDATE and DELETE. */
  readonly oldObject: JsonObject | null
}

export type ReviewReading =
  | { readonly ok: true; readonly request: AdmissionRequest }
  /** uid null: not even that could be read, so no AdmissionReview can answer it. */
  | { readonly ok: false; readonly uid: string | null; readonly message: string }

/** An AdmissionRequest on the wire. */
interface WireRequest {
  readonly uid: string
  readonly kind: { readonly group?: string | null; readonly kind: string }
  readonly subResource?: string | null
  readonly operation: string
  readonly namespace?: string | null
  readonly name?: string | null
  readonly userInfo: { readonly username: string; readonly groups?: readonly string[] | null }
  readonly object?: JsonObject | null
  readonly oldObject?: JsonObject | null
}

const wireRequest = objectOf<WireRequest>(
  {
    uid: text,
    kind: objectOf<WireRequest['kind']>({ group: text, kind: text }, ['kind']),
    subResource: text,
    operation: text,
    namespace: text,
    name: text,
    userInfo: objectOf<WireRequest['userInfo']>({ username: text, groups: listOf(text) }, ['username']),
    object: anyObject,
    oldObject: anyObject,
  },
  ['uid', 'kind', 'operation', 'userInfo'],
)

/** Reads an AdmissionReview from parsed JSON that may be anything. */
export function readAdmissionReview(body: unknown): ReviewReading {
  if (!isObject(body)) return malformed(null, 'the body is no object')
  const { apiVersion, kind, request } = body
  if (!isObject(request)) return malformed(null, 'the body has no request')
  const uid = typeof request['uid'] === 'string' && request['uid'] !== '' ? request['uid'] : null
  if (uid === null) return malformed(null, 'request.uid is missing')
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview')
    return malformed(uid, 'the body is no AdmissionReview of admission.k8s.io/v1')
  if (!wireRequest.fits(request)) {
    const [first] = wireRequest.explain(request, 'request')
    return malformed(uid, `${first?.path}: ${first?.message}`)
  }
  return readRequest(request)
}

function readRequest(wire: WireRequest): ReviewReading {
  const { uid, kind, operation, userInfo } = wire
  if (!isOperation(operation)) return malformed(uid, `request.operation: must be one of ${operations.join(', ')}`)
  const request: AdmissionRequest = {
    uid,
    group: kind.group ?? '',
    kind: kind.kind,
    subResource: wire.subResource ?? '',
    operation,
    namespace: wire.namespace ?? '',
    name: wire.name ?? '',
    user: { username: userInfo.username, groups: userInfo.groups ?? [] },
    object: wire.object ?? null,
    oldObject: wire.oldObject ?? null,
  }
  const problem = problemOf(request)
  return problem === null ? { ok: true, request } : malformed(uid, problem)
}

/** What the objects do not have that the operation and the kind promise; null: nothing. */
function problemOf({ operation, group, kind, object, oldObject }: AdmissionRequest): string | null {
  const isWrite = operation === 'CREATE' || operation === 'UPDATE'
  if (isWrite && object === null) return 'request.object: is missing'
  if (operation === 'UPDATE' && oldObject === null) return 'request.oldObject: is missing'
  if (isWrite && !isOfKind(object, group, kind)) return 'request.object: is of another kind than request.kind'
  return null
}

function isOfKind(object: JsonObject | null, group: string, kind: string): boolean {
  const apiVersion = object?.['apiVersion']
  if (object?.['kind'] !== kind || typeof apiVersion !== 'string') return false
  return group === '' ? !apiVersion.includes('/') : apiVersion.startsWith(`${group}/`)
}

function isOperation(value: string): value is Operation {
  return (operations as readonly string[]).includes(value)
}

function malformed(uid: string | null, message: string): ReviewReading {
  return { ok: false, uid, message }
}
