import type { Identity } from '../core/identity.ts'
import { governingPolicies } from '../core/policy/select.ts'
import { bindingsOf, describeProvenance } from '../core/rbac/authorize.ts'
import type { BindingObject, RbacView } from '../core/rbac/objects.ts'
import { rbacUserOf, subjectKeysOf, type RbacUser } from '../core/rbac/subject.ts'
import { tokenReachable } from '../core/workload/token.ts'
import type { Workload } from '../core/workload/workload.ts'
import type { World } from '../core/world.ts'
import type { JudgedFinding } from './check-finding.ts'

/**
 * A warning for each binding of the workload's ServiceAccount to a role that is not among the files. In a cluster such a
 * role gives nothing; here it is only unknown what it gives, and no forbidden capability was looked for in it.
 */
export function unknownRoles(workload: Workload, namespace: string, world: World): readonly JudgedFinding[] {
  const identity: Identity = { kind: 'ServiceAccount', namespace, name: workload.serviceAccountName }
  const [policy] = governingPolicies(identity, world).filter((each) => (each.workloads?.forbid ?? []).length > 0)
  if (policy === undefined) return []
  const account = world.serviceAccount(namespace, workload.serviceAccountName)
  if (!tokenReachable(workload.pod, account?.automount ?? null).reachable) return []
  const path = `${workload.podPath}.serviceAccountName`
  return bindingsAnywhere(rbacUserOf(identity), world.rbac)
    .filter((binding) => !roleIsKnown(binding, world.rbac))
    .map((binding) => roleUnknown(binding, path, policy))
}

function bindingsAnywhere(user: RbacUser, view: RbacView): readonly BindingObject[] {
  const namespaces = subjectKeysOf(user).flatMap((key) => view.namespacesNaming(key))
  return [...new Set(['', ...namespaces].flatMap((namespace) => bindingsOf(user, view, namespace)))]
}

export function roleIsKnown({ namespace, roleRef }: BindingObject, view: RbacView): boolean {
  if (roleRef.kind === 'ClusterRole') return view.clusterRole(roleRef.name) !== null
  return namespace === null || view.role(namespace, roleRef.name) !== null
}

/** The warning of a role that is not among the files. */
export function roleUnknown(binding: BindingObject, path: string, policy: JudgedFinding['policy']): JudgedFinding {
  const { kind, name } = binding.roleRef
  const of = describeProvenance({ kind: 'Binding', binding, role: binding.roleRef, rule: { verbs: [] } })
  return {
    check: 'role-unknown',
    severity: 'Medium',
    path,
    message: `${of} is not among the files, so that what it gives was not judged`,
    remedy: `add the ${kind} ${name} to the files, as kubectl get ${kind.toLowerCase()} ${name} -o yaml prints it`,
    enforcement: 'Warn',
    policy,
  }
}
