import { apiVersion, marks } from '../api/v1alpha1/objects.ts'
import { isObject } from '../api/validate.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, allowedWith, type Answer, type PatchOperation } from './answer.ts'
import { annotationsOf, authorAfter, authorOf } from './applied-by.ts'
import { byKind, type Review } from './review.ts'

/** Writes who asks into a new grant, whatever it says. A grant without a spec is left for its schema to refuse. */
const stampRequester: Review = (request) => {
  const spec = request.object?.['spec']
  if (request.operation !== 'CREATE' || !isObject(spec)) return allowed
  return patched([{ op: 'add', path: '/spec/requestedBy', value: request.user.username }])
}

/** Writes who says it into a new approval, whatever it says, and lets it go with its grant. */
const stampApprover: Review = (request) => {
  const spec = request.object?.['spec']
  if (request.operation !== 'CREATE' || !isObject(spec)) return allowed
  const approver: PatchOperation = { op: 'add', path: '/spec/approver', value: request.user.username }
  return patched([approver, ...owned(spec['grant'])])
}

/** Nothing waits for the garbage collector: the owner is not blocked. */
function owned(grant: unknown): readonly PatchOperation[] {
  if (!isObject(grant) || typeof grant['name'] !== 'string' || typeof grant['uid'] !== 'string') return []
  const { kind = 'NHIGrant', name, uid } = grant
  const owner = { apiVersion, kind, name, uid, controller: false, blockOwnerDeletion: false }
  return [{ op: 'add', path: '/metadata/ownerReferences', value: [owner] }]
}

/** Writes who sets it into a new suspension, whatever it says. */
const stampSetter: Review = (request) => {
  const spec = request.object?.['spec']
  if (request.operation !== 'CREATE' || !isObject(spec)) return allowed
  return patched([{ op: 'add', path: '/spec/setBy', value: request.user.username }])
}

/** Writes who changed the spec into a policy. Whoever leaves the spec as it is leaves its author as well. */
const stampAuthor: Review = (request) => {
  if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return allowed
  const author = authorAfter(request)
  return author === authorOf(request.object) ? allowed : patched(annotate(request, marks.appliedBy, author))
}

/** value null: without the annotation. */
function annotate({ object }: AdmissionRequest, key: string, value: string | null): readonly PatchOperation[] {
  const path = '/metadata/annotations'
  const annotations = annotationsOf(object)
  if (annotations === null) return value === null ? [] : [{ op: 'add', path, value: { [key]: value } }]
  const own = `${path}/${escapePointer(key)}`
  if (value !== null) return [{ op: 'add', path: own, value }]
  return Object.hasOwn(annotations, key) ? [{ op: 'remove', path: own }] : []
}

/** RFC 6901 */
function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function patched(patch: readonly PatchOperation[]): Answer {
  return patch.length === 0 ? allowed : allowedWith({ patch })
}

export const mutate: Review = byKind({
  'lapse.dev/NHIGrant': stampRequester,
  'lapse.dev/ClusterNHIGrant': stampRequester,
  'lapse.dev/NHIGrantApproval': stampApprover,
  'lapse.dev/NHISuspension': stampSetter,
  'lapse.dev/AccessPolicy': stampAuthor,
})
