import { readAdmissionReview, type AdmissionRequest } from '../../src/webhook/admission-review.ts'
import type { Answer } from '../../src/webhook/answer.ts'
import type { Review } from '../../src/webhook/review.ts'
import { WorldIndex, type WorldKind } from '../../src/world/world-index.ts'

export interface RawObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export const operatorUser = 'system:serviceaccount:lapse-system:lapse-controller'
export const now = Date.UTC(2026, 5, 1, 12)

export interface RequestOptions {
  readonly operation?: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly oldObject?: RawObject
  readonly user?: string
  readonly groups?: readonly string[]
  readonly subResource?: string
  readonly dryRun?: boolean
}

/** The AdmissionReview that the API server would send; without an operation an oldObject makes it an UPDATE. */
export function reviewOf(object: RawObject, options: RequestOptions = {}) {
  const {
    oldObject,
    user = 'ana@example.com',
    groups = ['system:authenticated'],
    subResource,
    dryRun = false,
  } = options
  const operation = options.operation ?? (oldObject === undefined ? 'CREATE' : 'UPDATE')
  const [version = '', group = ''] = object.apiVersion.split('/').toReversed()
  const kind = { group, version, kind: object.kind }
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind,
      requestKind: kind,
      resource: { group, version, resource: 'any' },
      ...(subResource !== undefined && { subResource }),
      ...(object.metadata['name'] !== undefined && { name: object.metadata['name'] }),
      ...(object.metadata['namespace'] !== undefined && { namespace: object.metadata['namespace'] }),
      operation,
      userInfo: { username: user, groups },
      object: operation === 'DELETE' ? null : object,
      oldObject: operation === 'DELETE' ? object : (oldObject ?? null),
      dryRun,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
    },
  }
}

export function requestOf(object: RawObject, options: RequestOptions = {}): AdmissionRequest {
  const reading = readAdmissionReview(reviewOf(object, options))
  if (!reading.ok) throw new Error(reading.message)
  return reading.request
}

export function worldOf(...objects: readonly RawObject[]): WorldIndex {
  const world = new WorldIndex()
  for (const object of objects) world.put(object.kind as WorldKind, object)
  return world
}

/** What the review says of the request in a world of these objects. */
export function judge(review: Review, request: AdmissionRequest, world: WorldIndex): Answer {
  return review(request, { world, now, operatorUser })
}

/** The message of a refusal; throws when there is none. */
export function refusalOf(answer: Answer): string {
  if (answer.allowed) throw new Error('it was allowed')
  return answer.message
}

/** `allowed`, or the code and the first line of the refusal. */
export function gist(answer: Answer): string {
  return answer.allowed ? 'allowed' : `${answer.code} ${answer.message.split('\n', 1)[0]}`
}
