import { sameJson } from '../same-json.ts'
import { authorize, boundRole, effectiveRules, fullAuthority } from './authorize.ts'
import { covers } from './covers.ts'
import type { BindingObject, RbacView, RoleObject } from './objects.ts'
import { isBindingKind, readBinding, readRole } from './read-objects.ts'
import type { BindingKind, RbacKind, RoleKind } from './read-objects.ts'
import type { PolicyRule } from './rule.ts'
import { superUserGroup } from './subject.ts'
import type { RbacUser } from './subject.ts'

/** The write of an RBAC object, as a request to the API server. */
export interface RbacWrite {
  readonly kind: RbacKind
  /** Empty for a cluster-scoped kind. */
  readonly namespace: string
  /** Of the request: empty for a POST, which creates, whatever the object is called. */
  readonly name: string
  /** The object as it would be stored, JSON. */
  readonly object: unknown
  /** The object as it is stored; null: there is none. */
  readonly oldObject: unknown
}

/** Whether the API server's escalation check lets a write pass, and why. */
export type EscalationVerdict =
  | {
      readonly allowed: true
      /** `Authorized`: by the verb escalate or bind. `Held`: nothing is handed on that the writer does not hold. */
      readonly because: 'SuperUser' | 'Authorized' | 'GarbageCollection' | 'Held'
    }
  | { readonly allowed: false; readonly because: 'MissingRules'; readonly missing: readonly PolicyRule[] }
  /** An aggregated ClusterRole gathers anything: only who holds everything may write one. */
  | { readonly allowed: false; readonly because: 'Aggregation' }
  /** A binding of a role that is not there: nobody knows what it hands on. */
  | { readonly allowed: false; readonly because: 'NoSuchRole' }

const rbac = 'rbac.authorization.k8s.io'

/**
 * Whether the user may write the role or binding, judged in the API server's own order; that RBAC allows the write itself is
 * another question. Throws TypeError when an object cannot be read.
 * Source: kubernetes pkg/registry/rbac, escalation_check.go and the policybased storages.
 */
export function checkEscalation(user: RbacUser, write: RbacWrite, view: RbacView): EscalationVerdict {
  if (user.groups.includes(superUserGroup)) return { allowed: true, because: 'SuperUser' }
  const { kind } = write
  return isBindingKind(kind) ? checkBinding(user, kind, write, view) : checkRole(user, kind, write, view)
}

function checkRole(user: RbacUser, kind: RoleKind, write: RbacWrite, view: RbacView): EscalationVerdict {
  const role = readRole(kind, write.object)
  const before = write.oldObject === null ? null : readRole(kind, write.oldObject)
  const resource = kind === 'Role' ? 'roles' : 'clusterroles'
  if (isAuthorized(user, 'escalate', resource, write.name, write.namespace, view)) return authorized
  if (isForGarbageCollection(write)) return { allowed: true, because: 'GarbageCollection' }
  const verdict = checkRules(user, write.namespace, role.rules, view)
  if (!verdict.allowed || !(aggregates(role) || aggregates(before))) return verdict
  return holds(user, write.namespace, fullAuthority, view) ? verdict : { allowed: false, because: 'Aggregation' }
}

/** On a create the API server asks for the verb first, on an update last: the verdict is the same, its reason may differ. */
function checkBinding(user: RbacUser, kind: BindingKind, write: RbacWrite, view: RbacView): EscalationVerdict {
  const binding = readBinding(kind, write.object)
  if (isForGarbageCollection(write)) return { allowed: true, because: 'GarbageCollection' }
  if (mayBind(user, binding, view)) return authorized
  const role = boundRole(binding, view)
  if (role === null) return { allowed: false, because: 'NoSuchRole' }
  return checkRules(user, write.namespace, role.rules, view)
}

function mayBind(user: RbacUser, { namespace, roleRef }: BindingObject, view: RbacView): boolean {
  if (roleRef.kind !== 'Role' && roleRef.kind !== 'ClusterRole') return false
  const resource = roleRef.kind === 'Role' ? 'roles' : 'clusterroles'
  return isAuthorized(user, 'bind', resource, roleRef.name, namespace ?? '', view)
}

const authorized: EscalationVerdict = { allowed: true, because: 'Authorized' }

function isAuthorized(
  user: RbacUser,
  verb: 'bind' | 'escalate',
  resource: string,
  name: string,
  namespace: string,
  view: RbacView,
): boolean {
  const request = { verb, namespace, apiGroup: rbac, resource, subresource: '', name, path: '' }
  return authorize(user, request, view).allowed
}

function checkRules(
  user: RbacUser,
  namespace: string,
  rules: readonly PolicyRule[],
  view: RbacView,
): EscalationVerdict {
  const { covered, missing } = covers(rulesOf(user, namespace, view), rules)
  return covered ? { allowed: true, because: 'Held' } : { allowed: false, because: 'MissingRules', missing }
}

function holds(user: RbacUser, namespace: string, rules: readonly PolicyRule[], view: RbacView): boolean {
  return covers(rulesOf(user, namespace, view), rules).covered
}

function rulesOf(user: RbacUser, namespace: string, view: RbacView): readonly PolicyRule[] {
  return effectiveRules(user, namespace, view).map(({ rule }) => rule)
}

function aggregates(role: RoleObject | null): boolean {
  return role?.aggregation !== undefined
}

/** What the garbage collector writes on its way to deleting an object; only the API server can write managedFields. */
const collected = ['ownerReferences', 'finalizers', 'selfLink', 'managedFields']

function isForGarbageCollection({ object, oldObject }: RbacWrite): boolean {
  return oldObject !== null && sameJson(withoutCollected(object), withoutCollected(oldObject))
}

function withoutCollected(object: unknown): unknown {
  const { metadata, ...rest } = object as { readonly metadata?: object | null }
  const kept = Object.entries(metadata ?? {}).filter(([field]) => !collected.includes(field))
  return { ...rest, metadata: Object.fromEntries(kept) }
}
