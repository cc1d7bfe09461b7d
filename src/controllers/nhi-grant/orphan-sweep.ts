import { marks, type NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { ClusterClient, KubeObject } from '../../cluster/ports.ts'
import { resources, type ResourceType } from '../../cluster/resources.ts'
import type { Log } from '../../runtime/log.ts'
import { allEnded } from '../all-ended.ts'
import { deleteExactly } from '../delete-exactly.ts'
import { carriesGrant } from '../marks.ts'
import type { CarrierKind } from './carriers.ts'
import type { EvidenceRecorder } from './evidence-recorder.ts'
import type { GrantCaches } from './grant-store.ts'
import { finalizersOf } from './objects.ts'
import { isUnderWay } from './under-way.ts'

export interface OrphanSweepParts {
  readonly client: ClusterClient
  readonly grants: GrantCaches['grants']
  readonly evidence: Pick<EvidenceRecorder, 'ofOrphan'>
  readonly log: Log
  /** Whether the operator has the rights over ClusterRoleBindings, and so whether any of them can carry a grant of its. */
  readonly clusterGrants: boolean
}

/**
 * Removes what carries a grant that is gone or has ended. Neither the garbage collector nor the grant's own reconciler does
 * once it was orphaned while no controller ran, or came into being too late: it would give the access for ever.
 */
export class OrphanSweep {
  readonly #parts: OrphanSweepParts

  constructor(parts: OrphanSweepParts) {
    this.#parts = parts
  }

  /** Bindings first, for they are the access. Throws what went wrong with one of them when all have been tried. */
  async run(): Promise<void> {
    const { client, clusterGrants } = this.#parts
    const bindings = await client.list(resources.roleBindings, { labelSelector: carriesGrant })
    const wide = clusterGrants ? await client.list(resources.clusterRoleBindings, { labelSelector: carriesGrant }) : []
    const roles = await client.list(resources.roles, { labelSelector: carriesGrant })
    const isOrphan = await this.#orphanTest([...bindings, ...wide, ...roles])
    await allEnded([
      this.#remove('RoleBinding', resources.roleBindings, bindings.filter(isOrphan)),
      this.#remove('ClusterRoleBinding', resources.clusterRoleBindings, wide.filter(isOrphan)),
    ])
    await this.#remove('Role', resources.roles, roles.filter(isOrphan))
  }

  /**
   * A grant is there before anything carries it. So the objects are listed before the grants are looked at: one whose grant is
   * not there then has none any more. The cache may be behind another controller that is about to end, hence its no is put
   * to the API server, by a consistent list.
   */
  async #orphanTest(listed: readonly KubeObject[]): Promise<(object: KubeObject) => boolean> {
    const { client, grants } = this.#parts
    const cached = uidsOf(grants.list().filter(isUnderWay))
    if (listed.every((object) => cached.has(grantUidOf(object)))) return () => false
    const types = [resources.nhiGrants, resources.clusterNhiGrants]
    const all = (await Promise.all(types.map((type) => client.list(type)))).flat()
    const living = uidsOf(all.filter((grant) => isUnderWay(grant as object as NHIGrant)))
    return (object) => !cached.has(grantUidOf(object)) && !living.has(grantUidOf(object))
  }

  async #remove(kind: CarrierKind, type: ResourceType, orphans: readonly KubeObject[]): Promise<void> {
    await allEnded(orphans.map((orphan) => this.#removeOne(kind, type, orphan)))
  }

  async #removeOne(kind: CarrierKind, type: ResourceType, orphan: KubeObject): Promise<void> {
    const { namespace = '', name, uid } = orphan.metadata
    if ((await deleteExactly(this.#parts.client, type, { namespace, name }, uid)) === 'another') return
    if (kind !== 'Role') this.#parts.evidence.ofOrphan(orphan)
    const finalizers = finalizersOf(orphan)
    this.#parts.log.warn('orphan deleted', {
      kind,
      namespace,
      name,
      grantUid: grantUidOf(orphan),
      ...(finalizers.length > 0 ? { heldBy: finalizers } : {}),
    })
  }
}

function uidsOf(objects: readonly { readonly metadata: { readonly uid: string } }[]): ReadonlySet<string> {
  return new Set(objects.map(({ metadata }) => metadata.uid))
}

function grantUidOf(object: KubeObject): string {
  return object.metadata.labels?.[marks.grantUid] ?? ''
}
