import { bindingsOf, boundRole } from '../rbac/authorize.ts'
import type { BindingObject, RbacView } from '../rbac/objects.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import { subjectKeyOf, subjectKeysOf, type RbacUser } from '../rbac/subject.ts'
import { samePlace, type AccessWrite } from './access-write.ts'
import { isStanding } from './is-standing.ts'

/**
 * What the user holds in the namespace without the write, but for what grants give it for a time; empty: cluster-wide.
 * Of the written object the API server's word counts, not the view's: access that was taken away a moment ago must not
 * count as held. A binding that says that it carries a grant counts as none that holds for good: it may be one whose grant
 * does not name it yet, or no more. Whoever writes that label on a binding of his own only loses by it.
 */
export function heldBefore(
  user: RbacUser,
  namespace: string,
  write: AccessWrite,
  view: RbacView,
  grantBindings: ReadonlySet<string>,
): readonly PolicyRule[] {
  const bindings = bindingsBefore(user, namespace, write, view).filter(
    (each) => !each.saysGrant && isStanding(each, grantBindings),
  )
  const roles = new Set(bindings.map((binding) => roleBefore(binding, write, view)))
  return [...roles].flatMap((role) => role?.rules ?? [])
}

function bindingsBefore(user: RbacUser, namespace: string, write: AccessWrite, view: RbacView) {
  const known = bindingsOf(user, view, namespace)
  if (write.kind === 'Role') return known
  const others = known.filter((binding) => !samePlace(binding, write.after))
  return write.before !== null && namesUser(write.before, user) ? [...others, write.before] : others
}

/** Whether a binding names the user or a group of theirs. */
export function namesUser({ namespace, subjects }: BindingObject, user: RbacUser): boolean {
  const keys = subjectKeysOf(user)
  return subjects.some((subject) => {
    const key = subjectKeyOf(subject, namespace ?? '')
    return key !== null && keys.includes(key)
  })
}

function roleBefore(binding: BindingObject, write: AccessWrite, view: RbacView) {
  const role = boundRole(binding, view)
  const place = { namespace: binding.roleRef.kind === 'Role' ? binding.namespace : null, name: binding.roleRef.name }
  return write.kind === 'Role' && samePlace(place, write.after) ? write.before : role
}
