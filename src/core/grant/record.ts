import type { CheckId } from '../check-catalogue.ts'
import { usernameOf } from '../identity.ts'
import { canonicalIdentity } from '../policy/select.ts'
import type { RoleRef } from '../rbac/objects.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { Instant } from '../time.ts'
import type { World } from '../world.ts'
import type { AskedApprovals } from './approval.ts'
import { emergencyTerms } from './break-glass.ts'
import { ownAccountOf } from './credential.ts'
import type { GrantDecision, GrantRequest } from './decide.ts'

/** An object that gives a grant's access. Its name derives from the grant's UID, so it is the same after a crash. */
export type AccessObject =
  | { readonly kind: 'Role'; readonly name: string; readonly rules: readonly PolicyRule[] }
  | { readonly kind: 'RoleBinding' | 'ClusterRoleBinding'; readonly name: string; readonly roleRef: RoleRef }

/** What is created for a grant; an identity of its own has no rules but what is bound to it, and its Secret the name that was asked for. */
export type ManagedObject =
  | AccessObject
  | { readonly kind: 'ServiceAccount'; readonly name: string }
  | { readonly kind: 'Secret'; readonly name: string }

/** What is persisted before the first object is created, and all that is needed to end the grant. */
export interface GrantRecord {
  readonly issuedAt: Instant
  readonly notAfter: Instant
  readonly policy: { readonly name: string; readonly version: string; readonly digest: string }
  /** name: the user name, or group name, that the API server sees. uid null: the subject is no ServiceAccount. */
  readonly subject: { readonly name: string; readonly uid: string | null }
  readonly rules: readonly PolicyRule[]
  readonly waive: readonly CheckId[]
  readonly decision: Pick<Extract<GrantDecision, { allowed: true }>, 'outcome' | 'reasons'>
  /** null: it needed none. */
  readonly approvals: AskedApprovals | null
  /** UID of the object that it ends with; null: only time ends it. */
  readonly untilUid: string | null
  /** Until when it must have been reviewed; null: it is no emergency. */
  readonly reviewBy: Instant | null
  readonly onRevoke: 'EvictPods' | null
  /** None, when the grant only waives. */
  readonly objects: readonly ManagedObject[]
}

/** The ClusterRole that carries each permission set of an accepted version; a set without one gets a Role per grant. */
export type SetRoles = ReadonlyMap<string, string>

/** The record of a grant that is issued at `now` by a decision that allows it. */
export function recordOf(
  request: GrantRequest,
  decision: Extract<GrantDecision, { allowed: true }>,
  roles: SetRoles,
  world: World,
  { untilUid, approvals }: Pick<GrantRecord, 'untilUid' | 'approvals'>,
): GrantRecord {
  const { policy, notAfter, outcome, reasons } = decision
  const emergency = policy.grants === null ? null : emergencyTerms(request.spec, policy.grants)
  const subject = canonicalIdentity(request.spec.subject)
  const account = subject.kind === 'ServiceAccount' ? world.serviceAccount(subject.namespace, subject.name) : null
  return {
    issuedAt: decision.from,
    notAfter,
    policy: { name: policy.name, version: policy.version, digest: policy.digest },
    subject: { name: usernameOf(subject) ?? subject.name, uid: account?.uid ?? null },
    rules: decision.rules,
    waive: request.spec.waive,
    decision: { outcome, reasons },
    approvals,
    untilUid,
    reviewBy: emergency === null ? null : notAfter + emergency.reviewWithin,
    onRevoke: policy.grants?.onRevoke ?? null,
    objects: withCredential(request, objectsOf(request, decision, roles)),
  }
}

/** The identity comes first, and the Secret once the identity has its access. */
function withCredential(
  { uid, spec: { credential } }: GrantRequest,
  access: readonly AccessObject[],
): readonly ManagedObject[] {
  if (credential === null) return access
  return [
    { kind: 'ServiceAccount', name: ownAccountOf(uid ?? '') },
    ...access,
    { kind: 'Secret', name: credential.secretName },
  ]
}

/**
 * One binding per set that has a ClusterRole. What has none (narrower rules, a set beyond the pool) is gathered in one
 * Role of the grant's own, bound by one binding: slower to create, and gone with the grant. One for the whole cluster has no such
 * Role: what would need it is not issued.
 */
function objectsOf(
  request: GrantRequest,
  decision: Extract<GrantDecision, { allowed: true }>,
  roles: SetRoles,
): readonly AccessObject[] {
  const prefix = `lapse-${request.uid ?? ''}`
  if (request.spec.rules.length > 0) return ownRole(prefix, request.spec.rules)
  const bindings: AccessObject[] = []
  const rest: PolicyRule[] = []
  for (const set of decision.sets) {
    const clusterRole = set.kind === 'ClusterRole' ? set.clusterRole : roles.get(set.name)
    if (clusterRole !== undefined)
      bindings.push({
        kind: request.namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
        name: `${prefix}-${set.name}`,
        roleRef: { kind: 'ClusterRole', name: clusterRole },
      })
    else if (set.kind === 'Rules') rest.push(...set.rules)
  }
  return rest.length === 0 ? bindings : [...bindings, ...ownRole(prefix, rest)]
}

function ownRole(name: string, rules: readonly PolicyRule[]): readonly AccessObject[] {
  return [
    { kind: 'Role', name, rules },
    { kind: 'RoleBinding', name, roleRef: { kind: 'Role', name } },
  ]
}
