import { isPoolName } from '../policy/pool.ts'
import type { BindingObject } from '../rbac/objects.ts'

/**
 * Whether a binding gives access for good. One that carries a grant ends with it: it is known by its UID in the record of
 * the grant, or by a role of the pool, which nobody but the operator can bind. Labels say nothing: anybody can set them.
 */
export function isStanding({ uid, roleRef }: BindingObject, grantBindings: ReadonlySet<string>): boolean {
  return !(uid !== '' && grantBindings.has(uid)) && !(roleRef.kind === 'ClusterRole' && isPoolName(roleRef.name))
}
