import { isObject } from '../api/validate.ts'
import { highFinding } from '../core/finding.ts'
import { isPoolName } from '../core/policy/pool.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed } from './answer.ts'
import { byKind, refuseForeignWrite, refuseInvalid, type Review } from './review.ts'

/** A role of the pool carries other rights one day: who binds one today would hold those then. */
const reviewBinding: Review = (request, { operatorUser }) => {
  if (request.operation === 'DELETE' || request.user.username === operatorUser) return allowed
  const role = roleRefOf(request)
  if (role === null)
    return refuseInvalid(request, [{ path: 'roleRef', message: 'must name a kind and a name', remedy: '' }])
  if (role.kind === 'Role' || !isPoolName(role.name)) return allowed
  const message = `${role.kind} ${role.name} belongs to the pool of roles that carry grants: only ${operatorUser} binds it`
  const remedy = 'ask for the access with an NHIGrant, or bind a role of your own'
  return refuseForeignWrite(request, highFinding('pool-role', 'roleRef.name', message, remedy))
}

function roleRefOf({ object }: AdmissionRequest): { readonly kind: string; readonly name: string } | null {
  const roleRef = object?.['roleRef']
  if (!isObject(roleRef)) return null
  const { kind, name } = roleRef
  return typeof kind === 'string' && typeof name === 'string' ? { kind, name } : null
}

export const reviewAccess: Review = byKind({
  'rbac.authorization.k8s.io/RoleBinding': reviewBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': reviewBinding,
})
