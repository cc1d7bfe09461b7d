import { requesterNamed, serviceAccountUsername, usernameOf } from '../identity.ts'
import type { Identity } from '../identity.ts'

/** Whom a binding names, as it is written there. */
export interface RbacSubject {
  readonly kind: string
  readonly name: string
  /** Of a ServiceAccount; absent in a RoleBinding means the binding's own namespace. */
  readonly namespace?: string
}

/** Whose access is asked for: what the authenticator hands to the authorizer. */
export interface RbacUser {
  /** null: a group as such, which makes no requests but holds access. */
  readonly username: string | null
  readonly groups: readonly string[]
}

/** Members of this group pass before any authorizer is asked; no binding can take that away. */
export const superUserGroup = 'system:masters'

/** How bindings are found: a ServiceAccount is the User of its name, as for the API server. `*` is a name like any other. */
export type SubjectKey = `User:${string}` | `Group:${string}`

/**
 * The user that RBAC sees behind an identity. The groups of a ServiceAccount are known in full; of a User only those that
 * its name implies, so access that reaches it by other groups is not seen.
 */
export function rbacUserOf(identity: Identity): RbacUser {
  const username = usernameOf(identity)
  if (username !== null) return { username, groups: requesterNamed(username).groups ?? groupsByName(username) }
  return { username, groups: widerGroups(identity.name) }
}

function groupsByName(username: string): readonly string[] {
  if (username === 'system:anonymous') return ['system:unauthenticated']
  return username.startsWith('system:node:') ? ['system:nodes', 'system:authenticated'] : ['system:authenticated']
}

/** The group, and those that every member of it is in as well. */
function widerGroups(group: string): readonly string[] {
  if (group === 'system:unauthenticated' || group === 'system:authenticated') return [group]
  const wider = group.startsWith('system:serviceaccounts:') ? ['system:serviceaccounts'] : []
  return [group, ...wider, 'system:authenticated']
}

export function subjectKeysOf(user: RbacUser): readonly SubjectKey[] {
  const own: readonly SubjectKey[] = user.username === null ? [] : [`User:${user.username}`]
  return [...own, ...user.groups.map((group): SubjectKey => `Group:${group}`)]
}

/**
 * Whom a binding's subject stands for; null: nobody, as with an unknown kind, or a ServiceAccount without a namespace in
 * a ClusterRoleBinding. `bindingNamespace` is empty for a ClusterRoleBinding.
 * Source: kubernetes pkg/registry/rbac/validation/rule.go, appliesToUser.
 */
export function subjectKeyOf(subject: RbacSubject, bindingNamespace: string): SubjectKey | null {
  switch (subject.kind) {
    case 'User':
      return `User:${subject.name}`
    case 'Group':
      return `Group:${subject.name}`
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace
      return namespace === '' ? null : `User:${serviceAccountUsername(namespace, subject.name)}`
    }
    default:
      return null
  }
}
