import { bindingsOf, boundRole, fullAuthority, ruleAllows, type RequestAttributes } from '../core/rbac/authorize.ts'
import type { BindingObject, RbacView } from '../core/rbac/objects.ts'
import type { PolicyRule } from '../core/rbac/rule.ts'
import { superUserGroup, type RbacUser } from '../core/rbac/subject.ts'
import type { GrantRow } from './grant-row.ts'

/** One way by which RBAC lets somebody do something. */
export interface AccessPath {
  /** null: membership of system:masters, which no binding gives. */
  readonly binding: BindingObject | null
  readonly rule: PolicyRule
  /** The grant that the binding carries; null: none, it stays until somebody deletes it. */
  readonly grant: GrantRow | null
}

/** Every path, ClusterRoleBindings first; `authorize` gives only the first. `carriedBy` knows grants by the UIDs of their bindings. */
export function accessPaths(
  user: RbacUser,
  request: RequestAttributes,
  view: RbacView,
  carriedBy: ReadonlyMap<string, GrantRow>,
): readonly AccessPath[] {
  const superUser = user.groups.includes(superUserGroup) ? fullAuthority : []
  return [
    ...superUser.filter((rule) => ruleAllows(rule, request)).map((rule) => ({ binding: null, rule, grant: null })),
    ...bindingsOf(user, view, request.namespace).flatMap((binding) =>
      (boundRole(binding, view)?.rules ?? [])
        .filter((rule) => ruleAllows(rule, request))
        .map((rule) => ({ binding, rule, grant: carriedBy.get(binding.uid) ?? null })),
    ),
  ]
}

/**
 * The names to which a request that names no object is allowed all the same, sorted: who may `get` one Secret by name may
 * not `get` Secrets.
 */
export function allowedNames(user: RbacUser, request: RequestAttributes, view: RbacView): readonly string[] {
  const rules = bindingsOf(user, view, request.namespace).flatMap((binding) => boundRole(binding, view)?.rules ?? [])
  const names = rules.flatMap((rule) =>
    (rule.resourceNames ?? []).filter((name) => ruleAllows(rule, { ...request, name })),
  )
  return [...new Set(names)].sort()
}
