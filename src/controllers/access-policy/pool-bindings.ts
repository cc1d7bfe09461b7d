import type { AccessPolicy, AccessPolicyRevision, NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Cache, ClusterClient, EventSink, KubeObject } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { isPoolName } from '../../core/policy/pool.ts'
import type { RoleRef } from '../../core/rbac/objects.ts'
import type { Log } from '../../runtime/log.ts'
import { allEnded } from '../all-ended.ts'
import { announce } from '../announce.ts'
import { deleteExactly } from '../delete-exactly.ts'
import { isUnderWay } from '../nhi-grant/under-way.ts'
import { isOwnedBy } from '../marks.ts'

/** A binding to a role of the pool that no grant has on record. */
export interface StrangeBinding {
  readonly kind: 'RoleBinding' | 'ClusterRoleBinding'
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly role: string
}

/**
 * Bindings to these ClusterRoles that are not a grant's, by consistent lists. A grant has what it makes on record before it makes it: so
 * the bindings are listed before the grants are.
 */
export async function strangeBindings(
  client: Pick<ClusterClient, 'list'>,
  roles: ReadonlySet<string>,
): Promise<readonly StrangeBinding[]> {
  const [roleBindings, clusterRoleBindings] = await Promise.all([
    client.list(resources.roleBindings),
    client.list(resources.clusterRoleBindings),
  ])
  const found = [
    ...roleBindings.flatMap((binding) => toOneOf(roles, 'RoleBinding', binding)),
    ...clusterRoleBindings.flatMap((binding) => toOneOf(roles, 'ClusterRoleBinding', binding)),
  ]
  if (found.length === 0) return []
  const types = [resources.nhiGrants, resources.clusterNhiGrants]
  const grants = (await Promise.all(types.map((type) => client.list(type)))).flat() as object[] as readonly NHIGrant[]
  const own = new Set(grants.filter(isUnderWay).flatMap(bindingsOf))
  return found.filter((binding) => !own.has(describeBinding(binding)))
}

/** False: it was gone, or another of the name is there. The operator may delete RoleBindings only. */
export async function removeBinding(client: Pick<ClusterClient, 'delete'>, binding: StrangeBinding): Promise<boolean> {
  const { kind, namespace, name, uid } = binding
  if (kind === 'ClusterRoleBinding') return false
  const outcome = await deleteExactly(client, resources.roleBindings, { namespace, name }, uid)
  return outcome === 'deleted' || outcome === 'held'
}

export function describeBinding({
  kind,
  namespace,
  name,
}: Pick<StrangeBinding, 'kind' | 'namespace' | 'name'>): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
}

export interface PoolGuardParts {
  readonly client: ClusterClient
  readonly policies: Cache<AccessPolicy>
  readonly revisions: Cache<AccessPolicyRevision>
  readonly clusterRoles: Cache
  readonly events: EventSink
  readonly log: Log
  readonly observer: { drift(found: { readonly kind: string; readonly outcome: string }): void }
}

/**
 * Finds bindings to the roles of the pool that somebody made while there was no webhook: RoleBindings are removed, and
 * ClusterRoleBindings, which the operator may not delete, are told. A role of the name that is not ours is nobody's business here.
 */
export class PoolGuard {
  readonly #parts: PoolGuardParts

  constructor(parts: PoolGuardParts) {
    this.#parts = parts
  }

  async run(): Promise<void> {
    const { client } = this.#parts
    const policies = this.#policiesOfRoles()
    if (policies.size === 0) return
    const strange = await strangeBindings(client, new Set(policies.keys()))
    await allEnded(
      strange.map(async (binding) => {
        const removed = await removeBinding(client, binding)
        if (removed || binding.kind === 'ClusterRoleBinding')
          this.#tell(binding, policies.get(binding.role) ?? '', removed)
      }),
    )
  }

  /** The policy of each role of the pool that is there and is ours, by the name of the role. */
  #policiesOfRoles(): ReadonlyMap<string, string> {
    const { revisions, clusterRoles } = this.#parts
    const mapped = revisions.list().flatMap((revision) =>
      (revision.status?.roles ?? []).flatMap(({ clusterRole }): readonly (readonly [string, string])[] => {
        const role = clusterRoles.get({ namespace: '', name: clusterRole })
        const isOurs = role !== null && isPoolName(clusterRole) && isOwnedBy(role, revision.metadata.uid)
        return isOurs ? [[clusterRole, revision.spec.policyName]] : []
      }),
    )
    return new Map(mapped)
  }

  #tell(binding: StrangeBinding, policy: string, removed: boolean): void {
    const { policies, log, observer } = this.#parts
    const what = describeBinding(binding)
    log.warn(removed ? 'foreign binding of a pool role removed' : 'foreign binding of a pool role', {
      binding: what,
      role: binding.role,
    })
    observer.drift({ kind: 'PoolBinding', outcome: removed ? 'Healed' : 'Refused' })
    const object = policies.get({ namespace: '', name: policy })
    if (object === null) return
    const { apiVersion, kind, metadata } = object
    const reason = removed ? 'PoolBindingRemoved' : 'PoolBindingFound'
    const action = removed ? 'Remove' : 'Compare'
    const note = `${what} bound ClusterRole ${binding.role}, which belongs to the pool; ${removed ? 'it was removed' : 'delete it'}`
    announce(this.#parts, [{ regarding: { apiVersion, kind, metadata }, type: 'Warning', reason, action, note }])
  }
}

function toOneOf(
  roles: ReadonlySet<string>,
  kind: StrangeBinding['kind'],
  binding: KubeObject,
): readonly StrangeBinding[] {
  const ref = (binding['roleRef'] ?? {}) as Partial<RoleRef>
  if (ref.kind !== 'ClusterRole' || ref.name === undefined || !roles.has(ref.name)) return []
  const { namespace = '', name, uid } = binding.metadata
  return [{ kind, namespace, name, uid, role: ref.name }]
}

function bindingsOf({ metadata, status }: NHIGrant): readonly string[] {
  return (status?.objects ?? []).flatMap(({ kind, name }) =>
    kind === 'RoleBinding' || kind === 'ClusterRoleBinding'
      ? [describeBinding({ kind, namespace: metadata.namespace ?? '', name })]
      : [],
  )
}
