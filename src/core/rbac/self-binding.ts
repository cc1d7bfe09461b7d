import { fullAuthority } from './authorize.ts'
import type { BindingObject, RbacView, RoleObject, RoleRef } from './objects.ts'
import { subjectKeysOf } from './subject.ts'
import type { RbacUser } from './subject.ts'

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
