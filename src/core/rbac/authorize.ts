import type { BindingObject, RbacView, RoleObject, RoleRef } from './objects.ts'
import type { PolicyRule } from './rule.ts'
import { subjectKeysOf, superUserGroup } from './subject.ts'
import type { RbacUser } from './subject.ts'

/** One request as the authorizer sees it. Fields that do not apply are empty. */
export interface RequestAttributes {
  readonly verb: string
  /** Empty: a cluster-scoped resource, or one in all namespaces at once. */
  readonly namespace: string
  readonly apiGroup: string
  readonly resource: string
  readonly subresource: string
  /** Empty for a list, a POST that creates, and other requests that name no object. */
  readonly name: string
  /** Of a request that is for no resource (`/metrics`); empty otherwise. */
  readonly path: string
}

/** Which rule gives the access, and what hands it on. */
export type Provenance =
  | { readonly kind: 'Binding'; readonly binding: BindingObject; readonly role: RoleRef; readonly rule: PolicyRule }
  /** Membership of system:masters: no binding gives it and none can take it away. */
  | { readonly kind: 'SuperUser'; readonly rule: PolicyRule }

export type Authorization = { readonly allowed: false } | { readonly allowed: true; readonly by: Provenance }

export interface AuthorizeOptions {
  /** UIDs of bindings to leave out of the question, such as those of live grants. */
  readonly ignoreBindings?: ReadonlySet<string>
}

/** What `cluster-admin` holds, and what system:masters amounts to. */
export const fullAuthority: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/**
 * Whether RBAC lets the user do it, and by what. The first of ClusterRoleBindings, then RoleBindings, each in order of
 * name, is the one reported. Source: kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go.
 */
export function authorize(
  user: RbacUser,
  attributes: RequestAttributes,
  view: RbacView,
  options: AuthorizeOptions = {},
): Authorization {
  const by = effectiveRules(user, attributes.namespace, view, options).find((held) => ruleAllows(held.rule, attributes))
  return by === undefined ? { allowed: false } : { allowed: true, by }
}

/**
 * Every rule that applies to the user in the namespace, with where it comes from. An empty namespace leaves only what
 * ClusterRoleBindings give: RoleBindings in every namespace do not add up to the cluster. A missing role gives nothing;
 * one that several bindings hand on counts once, by the first of them, or the list could be as long as their product.
 */
export function effectiveRules(
  user: RbacUser,
  namespace: string,
  view: RbacView,
  options: AuthorizeOptions = {},
): readonly Provenance[] {
  if (user.groups.includes(superUserGroup)) return fullAuthority.map((rule) => ({ kind: 'SuperUser', rule }))
  const known = new Set<RoleObject>()
  return bindingsOf(user, view, namespace)
    .filter((binding) => binding.uid === '' || !options.ignoreBindings?.has(binding.uid))
    .flatMap((binding) => rulesThrough(binding, view, known))
}

/** The ClusterRoleBindings that name the user or a group of theirs, then the RoleBindings of the namespace that do. */
export function bindingsOf(user: RbacUser, view: RbacView, namespace: string): readonly BindingObject[] {
  const scopes = namespace === '' ? [''] : ['', namespace]
  return scopes.flatMap((scope) => bindingsIn(user, view, scope))
}

function bindingsIn(user: RbacUser, view: RbacView, scope: string): readonly BindingObject[] {
  const found = new Set(subjectKeysOf(user).flatMap((key) => view.bindingsNaming(key, scope)))
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Empty for a role that is known, and makes it so. */
function rulesThrough(binding: BindingObject, view: RbacView, known: Set<RoleObject>): readonly Provenance[] {
  const role = boundRole(binding, view)
  if (role === null || known.has(role)) return []
  known.add(role)
  return role.rules.map((rule) => ({ kind: 'Binding', binding, role: binding.roleRef, rule }))
}

/** The role that a binding hands on; null: it is missing, or of a kind that cannot be bound there. */
export function boundRole(binding: Pick<BindingObject, 'namespace' | 'roleRef'>, view: RbacView): RoleObject | null {
  switch (binding.roleRef.kind) {
    case 'Role':
      return binding.namespace === null ? null : view.role(binding.namespace, binding.roleRef.name)
    case 'ClusterRole':
      return view.clusterRole(binding.roleRef.name)
    default:
      return null
  }
}

/** How messages say where access comes from: `RoleBinding payments/legacy → Role reader`. */
export function describeProvenance(by: Provenance): string {
  if (by.kind === 'SuperUser') return `group ${superUserGroup}`
  const { namespace, name } = by.binding
  const binding = namespace === null ? `ClusterRoleBinding ${name}` : `RoleBinding ${namespace}/${name}`
  return `${binding} → ${by.role.kind} ${by.role.name}`
}

/**
 * Whether one rule allows the request. `pods` does not include `pods/exec`, `pods/*` matches nothing, a rule with names
 * never allows a request without a name. Source: kubernetes pkg/apis/rbac/v1/evaluation_helpers.go.
 */
export function ruleAllows(rule: PolicyRule, attributes: RequestAttributes): boolean {
  if (!matches(rule.verbs, attributes.verb)) return false
  if (attributes.path !== '') return (rule.nonResourceURLs ?? []).some((url) => urlMatches(url, attributes.path))
  return (
    matches(rule.apiGroups ?? [], attributes.apiGroup) &&
    resourceMatches(rule.resources ?? [], attributes) &&
    nameMatches(rule.resourceNames ?? [], attributes.name)
  )
}

function matches(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted)
}

function resourceMatches(resources: readonly string[], { resource, subresource }: RequestAttributes): boolean {
  if (subresource === '') return matches(resources, resource)
  return matches(resources, `${resource}/${subresource}`) || resources.includes(`*/${subresource}`)
}

function nameMatches(names: readonly string[], name: string): boolean {
  return names.length === 0 || names.includes(name)
}

/** All trailing stars are one wildcard; a star further in is only a star. */
function urlMatches(url: string, path: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')))
}
