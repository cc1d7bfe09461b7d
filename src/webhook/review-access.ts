import { isDeepStrictEqual } from 'node:util'
import { marks } from '../api/v1alpha1/objects.ts'
import { isObject, type JsonObject } from '../api/validate.ts'
import { highFinding } from '../core/finding.ts'
import { isPoolName } from '../core/policy/pool.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed } from './answer.ts'
import { reviewAccount, reviewSecret } from './review-service-account.ts'
import { reviewStanding } from './review-standing.ts'
import { byKind, refuseForeignWrite, refuseInvalid, type Review } from './review.ts'

/**
 * Whatever carries a grant is the operator's alone: a finalizer would keep the access beyond its end, for RBAC honours a
 * binding that is being deleted. Nobody is exempt, not even the garbage collector that takes the owner away to orphan the
 * object: the deleted grant then waits, with its deletionTimestamp, until the controller has removed what it carries. What
 * only helps it go is never refused: DELETE, and taking finalizers off what is being deleted.
 */
const onlyByTheOperator =
  (rest: Review): Review =>
  (request, snapshot) => {
    const { operatorUser } = snapshot
    if (request.operation === 'DELETE' || request.user.username === operatorUser || letsGo(request)) return allowed
    if (!carriesGrant(request.object) && !carriesGrant(request.oldObject)) return rest(request, snapshot)
    const message = `what has the label ${marks.grantUid} carries a grant: only ${operatorUser} writes it`
    const remedy = 'to end the access delete the grant, or set its spec.revoke'
    return refuseForeignWrite(request, highFinding('grant-object', 'metadata.labels', message, remedy))
  }

/** Whether all that an update does is to take finalizers off an object that is being deleted. */
function letsGo({ object, oldObject }: AdmissionRequest): boolean {
  const before = isObject(oldObject?.['metadata']) ? oldObject['metadata'] : {}
  const after = isObject(object?.['metadata']) ? object['metadata'] : {}
  if (typeof before['deletionTimestamp'] !== 'string') return false
  const kept = finalizersOf(before)
  return (
    finalizersOf(after).every((finalizer) => kept.includes(finalizer)) &&
    isDeepStrictEqual({ ...object, metadata: lasting(after) }, { ...oldObject, metadata: lasting(before) })
  )
}

function finalizersOf({ finalizers }: JsonObject): readonly unknown[] {
  return Array.isArray(finalizers) ? finalizers : []
}

/** Of metadata: finalizers, and what the API server itself keeps. */
const passing: ReadonlySet<string> = new Set(['finalizers', 'managedFields', 'resourceVersion', 'generation'])

function lasting(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([field]) => !passing.has(field)))
}

function carriesGrant(object: JsonObject | null): boolean {
  const metadata = object?.['metadata']
  const labels = isObject(metadata) ? metadata['labels'] : undefined
  return isObject(labels) && Object.hasOwn(labels, marks.grantUid)
}

/** A role of the pool carries other rights one day: who binds one today would hold those then. */
const reviewBinding: Review = (request, snapshot) => {
  const role = roleRefOf(request)
  if (role === null)
    return refuseInvalid(request, [{ path: 'roleRef', message: 'must name a kind and a name', remedy: '' }])
  if (role.kind === 'Role' || !isPoolName(role.name)) return reviewStanding(request, snapshot)
  const message = `${role.kind} ${role.name} belongs to the pool of roles that carry grants: only ${snapshot.operatorUser} binds it`
  const remedy = 'ask for the access with an NHIGrant, or bind a role of your own'
  return refuseForeignWrite(request, highFinding('pool-role', 'roleRef.name', message, remedy))
}

/** And who changes one changes every grant that it carries. */
const reviewClusterRole: Review = (request, snapshot) => {
  if (!isPoolName(request.name)) return reviewStanding(request, snapshot)
  const message = `ClusterRole ${request.name} belongs to the pool of roles that carry grants: only ${snapshot.operatorUser} writes it`
  const remedy = 'give the role another name'
  return refuseForeignWrite(request, highFinding('pool-role', 'metadata.name', message, remedy))
}

function roleRefOf({ object }: AdmissionRequest): { readonly kind: string; readonly name: string } | null {
  const roleRef = object?.['roleRef']
  if (!isObject(roleRef)) return null
  const { kind, name } = roleRef
  return typeof kind === 'string' && typeof name === 'string' ? { kind, name } : null
}

export const reviewAccess: Review = byKind({
  'rbac.authorization.k8s.io/Role': onlyByTheOperator(reviewStanding),
  'rbac.authorization.k8s.io/ClusterRole': onlyByTheOperator(reviewClusterRole),
  'rbac.authorization.k8s.io/RoleBinding': onlyByTheOperator(reviewBinding),
  'rbac.authorization.k8s.io/ClusterRoleBinding': onlyByTheOperator(reviewBinding),
  ServiceAccount: reviewAccount,
  Secret: reviewSecret,
})
