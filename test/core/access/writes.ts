import type { BindingWrite, RoleWrite } from '../../../src/core/access/access-write.ts'
import type { Policy, WorkloadTerms } from '../../../src/core/policy/policy.ts'
import { readBinding, readRole } from '../../../src/core/rbac/read-objects.ts'
import type { World } from '../../../src/core/world.ts'
import { policyOf, workloads } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { rbacOf, rule, type RawObject } from '../rbac/rbac-of.ts'

/** payments-deploy with terms on standing access: `get configmaps`, unless they say otherwise. */
export function standingPolicy(terms: Partial<WorkloadTerms> = {}, fields: Partial<Policy> = {}): Policy {
  return policyOf({ workloads: { ...workloads, standing: [rule('get configmaps')], ...terms }, ...fields })
}

/** The world of these RBAC objects, in which the policy governs ci/deployer and payments/deployer. */
export function worldWith(objects: readonly RawObject[], policies: readonly Policy[] = [standingPolicy()]): World {
  return worldOf({
    policies,
    serviceAccounts: { 'ci/deployer': {}, 'payments/deployer': {}, 'search/deployer': {} },
    rbac: rbacOf(...objects),
  })
}

type Labelled = RawObject & { readonly labels?: Readonly<Record<string, string>> }

/** A ClusterRole with labels. */
export function labelled(object: RawObject, labels: Readonly<Record<string, string>>): RawObject {
  return { ...object, metadata: { ...object.metadata, labels } as Labelled['metadata'] }
}

/** A ClusterRole into which those with the label are aggregated. */
export function aggregating(object: RawObject, label: string): RawObject {
  return { ...object, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] } }
}

export function bindingWrite(after: RawObject, before: RawObject | null = null): BindingWrite {
  return { kind: 'Binding', before: before && bindingFrom(before), after: bindingFrom(after) }
}

export function roleWrite(after: RawObject, before: RawObject | null = null): RoleWrite {
  return { kind: 'Role', before: before && roleFrom(before), after: roleFrom(after) }
}

function bindingFrom(object: RawObject) {
  return readBinding(object.kind === 'RoleBinding' ? 'RoleBinding' : 'ClusterRoleBinding', object)
}

function roleFrom(object: RawObject) {
  return readRole(object.kind === 'Role' ? 'Role' : 'ClusterRole', object)
}
