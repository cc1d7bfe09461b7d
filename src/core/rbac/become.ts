import { fullAuthority, type AuthorizeOptions } from './authorize.ts'
import { impersonations, permitsIn, tokenRequests, turnsByName } from './become-by-name.ts'
import { boundAccounts } from './bound-identities.ts'
import type { CapabilityId } from './capability.ts'
import { memoHeldCapabilities, type HeldCapability } from './held-capabilities.ts'
import type { BindingObject, RbacView, RoleObject, RoleRef } from './objects.ts'
import type { Actor, Standpoint, Turn } from './standpoint.ts'
import { rbacUserOf, subjectKeysOf, type RbacUser } from './subject.ts'

/** Capabilities by which one identity can become another. */
export const turningCapabilities = [
  'workload-create',
  'pod-mutate',
  'exec',
  'token-request',
  'impersonate',
  'secrets-read',
  'secrets-write',
  'bind',
  'escalate',
  'nodes-proxy',
] as const satisfies readonly CapabilityId[]

export type TurningCapability = (typeof turningCapabilities)[number]

/**
 * Whom the actor can become in one step by the capabilities among those given.
 *
 * Which account a running Pod has is not known here: whoever acts inside the Pods of a namespace, or of every node, may
 * become any of its accounts, for a verdict must not hang on which Pods run just now. To read Secrets is not taken for a
 * token of somebody's: whether one holds a token only its content tells. To create and read them is: such a Secret asks for
 * the token. Constrained impersonation needs a second right for each request, and is not followed.
 */
export function turnsOf(
  { identity, widened: own }: Actor,
  capabilities: readonly TurningCapability[],
  cluster: RbacView,
  options: AuthorizeOptions,
): readonly Turn[] {
  const at: Standpoint = { identity, user: rbacUserOf(identity), view: own ?? cluster, cluster, options }
  // to read one Secret by its name is harmless, but not for who may create it
  const held = memoHeldCapabilities(at.user, capabilities, at.view, options).filter(
    ({ isHarmless, capability }) => !isHarmless || capability === 'secrets-read',
  )
  return capabilities.flatMap((id) => {
    const found = held.filter(({ capability }) => capability === id)
    return found.length === 0 ? [] : turnsBy(id, found, held, at)
  })
}

function turnsBy(
  id: TurningCapability,
  own: readonly HeldCapability[],
  held: readonly HeldCapability[],
  at: Standpoint,
): readonly Turn[] {
  switch (id) {
    case 'workload-create':
    case 'pod-mutate':
    case 'exec':
    case 'nodes-proxy':
      return own.map((by) => ({ by, to: accountsIn(by.namespace, at) }))
    case 'secrets-write':
      return own.flatMap((by) => mintedBySecrets(by, held, at))
    case 'token-request':
      return own.slice(0, 1).flatMap((by) => turnsByName(by, tokenRequests, at))
    case 'impersonate':
      return own.slice(0, 1).flatMap((by) => turnsByName(by, impersonations(at), at))
    case 'bind':
      return own.flatMap((by) => selfBindings(by, at))
    case 'escalate':
      return own.map((by) => ({ by, to: [widened([ownMadeRole], by.namespace, at)] }))
    case 'secrets-read': // alone it makes nobody somebody else
      return []
  }
}

function accountsIn(namespace: string, { cluster }: Standpoint): readonly Actor[] {
  return boundAccounts(namespace, cluster).map((identity) => ({ identity, widened: null }))
}

/** A Secret that asks for an account's token has to be created, and then read. */
function mintedBySecrets(by: HeldCapability, held: readonly HeldCapability[], at: Standpoint): readonly Turn[] {
  if (by.request?.verb !== 'create') return []
  return held
    .filter(({ capability }) => capability === 'secrets-read')
    .filter(({ namespace }) => namespace === '' || by.namespace === '' || namespace === by.namespace)
    .map((read) => ({ by: { ...by, also: [...by.also, read] }, to: accountsIn(by.namespace || read.namespace, at) }))
}

const rbac = 'rbac.authorization.k8s.io'

/** Roles of other namespaces cannot be bound, and which roles a namespace has beside the bound ones is not known. */
function selfBindings(by: HeldCapability, at: Standpoint): readonly Turn[] {
  const roles = (['ClusterRole', 'Role'] as const).flatMap((kind) => bindable(kind, by.namespace, at))
  return [{ by, to: [widened(roles, by.namespace, at)] }]
}

function bindable(kind: 'ClusterRole' | 'Role', namespace: string, at: Standpoint): readonly RoleRef[] {
  const resource = kind === 'Role' ? 'roles' : 'clusterroles'
  const attributes = { verb: 'bind', apiGroup: rbac, resource, subresource: '', path: '' }
  const names = permitsIn(namespace, attributes, at).map(({ name }) => name)
  if (!names.includes(null)) return names.map((name) => ({ kind, name: name ?? '' }))
  if (kind === 'ClusterRole') return [{ kind, name: 'cluster-admin' }]
  return at.cluster.roleBindings(namespace).flatMap(({ roleRef }) => (roleRef.kind === 'Role' ? [roleRef] : []))
}

function widened(roles: readonly RoleRef[], namespace: string, { identity, user, view }: Standpoint): Actor {
  return { identity, widened: withSelfBindings(user, roles, namespace, view) }
}

/** No object has a name with spaces, so it stands for nothing that is there. */
const ownName = 'of its own making'

/** A role that allows everything, which whoever may escalate can write. */
export const ownMadeRole: RoleRef = { kind: 'ClusterRole', name: ownName }

const ownMade: RoleObject = { namespace: null, name: ownName, uid: '', labels: {}, rules: fullAuthority }

/**
 * The view as it will be once the user has bound the roles to itself: in the namespace, or everywhere when it is empty.
 * Only what this one user holds may be asked of it.
 */
export function withSelfBindings(
  user: RbacUser,
  roleRefs: readonly RoleRef[],
  namespace: string,
  view: RbacView,
): RbacView {
  const own = subjectKeysOf(user)[0]
  const bindings = roleRefs.map((roleRef) => bindingOf(user, roleRef, namespace))
  return {
    generation: view.generation,
    role: (place, name) => view.role(place, name),
    clusterRole: (name) => (name === ownName ? ownMade : view.clusterRole(name)),
    roleBindings: (place) => view.roleBindings(place),
    boundNamespaces: () => view.boundNamespaces(),
    clusterRoleBindings: () => view.clusterRoleBindings(),
    bindingsNaming: (key, place) => {
      const before = view.bindingsNaming(key, place)
      return key === own && place === namespace ? [...before, ...bindings] : before
    },
    namespacesNaming: (key) => {
      const before = view.namespacesNaming(key)
      return key === own && namespace !== '' ? [...new Set([...before, namespace])] : before
    },
  }
}

function bindingOf({ username, groups }: RbacUser, roleRef: RoleRef, namespace: string): BindingObject {
  const subject = { kind: username === null ? 'Group' : 'User', name: username ?? groups[0] ?? '' }
  return { namespace: namespace === '' ? null : namespace, name: ownName, uid: '', subjects: [subject], roleRef }
}
