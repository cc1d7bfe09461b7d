import { isObject, type JsonObject } from '../api/validate.ts'
import type { AccessWrite } from '../core/access/access-write.ts'
import { reviewAccess } from '../core/access/review-access.ts'
import { beyondPolicies, explain } from '../core/policy/explain.ts'
import type { BindingObject, RoleObject } from '../core/rbac/objects.ts'
import { readBinding, readRole } from '../core/rbac/read-objects.ts'
import type { World } from '../core/world.ts'
import type { WorkloadVerdict } from '../core/workload/review.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, allowedWith, refused, type Answer, type WorldReference } from './answer.ts'
import { auditAnnotationsOf, warningsOf } from './remarks.ts'
import { describeObject, refuseInvalid, type Review } from './review.ts'

/** What roles and bindings give for good, to whom a policy that judges standing access governs. */
export const reviewStanding: Review = (request, { world }) => {
  if (isByTheControlPlane(request)) return allowed
  const write = readWrite(request)
  if (write === null)
    return refuseInvalid(request, [{ path: '', message: `is no ${request.kind} that can be read`, remedy: '' }])
  const verdict = reviewAccess(write, world)
  if (verdict.verdict === 'Ungoverned') return allowed
  return answerTo(request, verdict, verdict.next, unsettledIn(write, verdict.missingAccounts, world))
}

/**
 * Who only carries out what others have written: the API server, which keeps the roles and bindings that it ships with and
 * does not come up if it cannot, and the controller that writes into aggregated ClusterRoles what was judged when it was
 * written into those that they select.
 */
function isByTheControlPlane({ user, kind }: AdmissionRequest): boolean {
  if (user.username === 'system:apiserver') return user.groups.includes('system:masters')
  return kind === 'ClusterRole' && user.username === aggregationController
}

const aggregationController = 'system:serviceaccount:kube-system:clusterrole-aggregation-controller'

/** The answer to what was found; `next` is what the author can do if it is a refusal. */
export function answerTo(
  request: AdmissionRequest,
  { verdict, findings }: WorkloadVerdict,
  next: readonly string[],
  unsettled: readonly WorldReference[],
): Answer {
  if (findings.length === 0 && unsettled.length === 0) return allowed
  const remarks = { warnings: warningsOf(findings), auditAnnotations: auditAnnotationsOf(findings), unsettled }
  if (verdict !== 'Deny') return allowedWith(remarks)
  const denying = findings.filter(({ enforcement }) => enforcement === 'Deny')
  const policies = denying.map(({ policy }) => policy)
  const message = explain({
    what: describeObject(request),
    why: beyondPolicies(policies),
    findings: denying,
    owners: policies.map(({ owner }) => owner),
    next,
  })
  return refused(403, message, remarks)
}

/** null: it cannot be read. */
function readWrite(request: AdmissionRequest): AccessWrite | null {
  const stored = request.operation === 'UPDATE' ? request.oldObject : null
  if (request.kind === 'Role' || request.kind === 'ClusterRole') {
    const after = roleOf(request, request.object)
    return after === null ? null : { kind: 'Role', before: stored && roleOf(request, stored), after }
  }
  const after = bindingOf(request, request.object)
  return after === null ? null : { kind: 'Binding', before: stored && bindingOf(request, stored), after }
}

function roleOf(request: AdmissionRequest, object: JsonObject | null): RoleObject | null {
  return attempt(() => readRole(request.kind === 'Role' ? 'Role' : 'ClusterRole', placed(request, object)))
}

function bindingOf(request: AdmissionRequest, object: JsonObject | null): BindingObject | null {
  const kind = request.kind === 'RoleBinding' ? 'RoleBinding' : 'ClusterRoleBinding'
  return attempt(() => readBinding(kind, placed(request, object)))
}

/** The object under the name and namespace of the request: a new one may have neither of its own. */
function placed({ namespace, name }: AdmissionRequest, object: JsonObject | null): JsonObject {
  const metadata = isObject(object?.['metadata']) ? object['metadata'] : {}
  return { ...object, metadata: { ...metadata, namespace, name } }
}

/** null: the object is not of the form that the API server stores. */
function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/** What may still be on its way to us: objects that were created just before the binding. */
function unsettledIn(
  write: AccessWrite,
  accounts: readonly { readonly namespace: string; readonly name: string }[],
  world: World,
): readonly WorldReference[] {
  if (write.kind !== 'Binding') return []
  const missing = accounts.map((account): WorldReference => ({ kind: 'ServiceAccount', ...account }))
  const { namespace, roleRef } = write.after
  if (roleRef.kind === 'ClusterRole' && world.rbac.clusterRole(roleRef.name) === null)
    return [...missing, { kind: 'ClusterRole', namespace: '', name: roleRef.name }]
  if (roleRef.kind === 'Role' && namespace !== null && world.rbac.role(namespace, roleRef.name) === null)
    return [...missing, { kind: 'Role', namespace, name: roleRef.name }]
  return missing
}
