import { ClusterError } from '../cluster/errors.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import type { RequestAttributes } from '../core/rbac/authorize.ts'
import { RbacIndex } from '../core/rbac/rbac-index.ts'
import type { RbacKind } from '../core/rbac/read-objects.ts'
import { UsageError } from '../runtime/usage-error.ts'
import type { ClusterSession } from './cluster-session.ts'
import { findResource } from './find-resource.ts'
import { hasEnded, type GrantRow } from './grant-row.ts'
import { listClusterGrants, listGrants } from './list-grants.ts'

/** A request to the API server, as it was written. */
export interface RequestText {
  readonly verb: string
  /** Empty, or the path in place of a resource. */
  readonly path: string
  readonly resource: string
  readonly name: string
  readonly subresource: string
  /** All namespaces at once. */
  readonly everywhere: boolean
}

/** Options of every command that asks about a request. */
export const requestOptions = {
  'all-namespaces': { type: 'boolean', short: 'A' },
  subresource: { type: 'string' },
} as const

export const requestHelp = `  -A, --all-namespaces     ask for all namespaces at once
      --subresource NAME   of the resource, such as log or exec
`

/** Throws UsageError. `target`: RESOURCE, RESOURCE/NAME or a path. */
export function requestTextOf(
  verb: string,
  target: string,
  values: { readonly 'all-namespaces'?: boolean; readonly namespace?: string; readonly subresource?: string },
): RequestText {
  const everywhere = values['all-namespaces'] === true
  if (everywhere && values.namespace !== undefined) throw new UsageError('give --namespace or --all-namespaces')
  const isPath = target.startsWith('/')
  const [resource = '', ...rest] = isPath ? [] : target.split('/')
  if (!isPath && resource === '') throw new UsageError('RESOURCE must be a resource, such as pods, or a path')
  const subresource = values.subresource ?? ''
  return { verb, path: isPath ? target : '', resource, name: rest.join('/'), subresource, everywhere }
}

/** As the API server would be asked. What could not be found out goes to `notes`. */
export async function requestOf(
  { verb, path, resource, name, subresource, everywhere }: RequestText,
  { transport, namespace }: ClusterSession,
  notes: string[],
): Promise<RequestAttributes> {
  const nowhere = { verb, namespace: '', apiGroup: '', resource: '', subresource: '', name: '', path }
  if (path !== '') return nowhere
  const found = await findResource(transport, resource)
  if (!found.served) notes.push(`the cluster does not say that it serves ${resource}: taken as it is written`)
  const place = found.scope === 'Cluster' || everywhere ? '' : namespace
  // the API server authorizes a request for one Namespace as made in it
  const own = found.group === '' && found.plural === 'namespaces' ? name : place
  return { ...nowhere, namespace: own, apiGroup: found.group, resource: found.plural, subresource, name }
}

/** The roles and bindings of the cluster, and of the namespace if there is one. */
export async function readRbac({ client }: ClusterSession, namespace: string): Promise<RbacIndex> {
  const index = new RbacIndex()
  const take = async (kind: RbacKind, type: ResourceType): Promise<void> => {
    for (const object of await client.list(type, { namespace })) index.upsert(kind, object)
  }
  const inNamespace =
    namespace === '' ? [] : [take('Role', resources.roles), take('RoleBinding', resources.roleBindings)]
  const inCluster = [
    take('ClusterRole', resources.clusterRoles),
    take('ClusterRoleBinding', resources.clusterRoleBindings),
  ]
  await Promise.all([...inNamespace, ...inCluster])
  return index
}

/** The grants that have not ended, by the UIDs of the bindings that carry them; none where they may not be read, which is noted. */
export async function grantsByBinding(
  session: ClusterSession,
  namespace: string,
  notes: string[],
): Promise<ReadonlyMap<string, GrantRow>> {
  try {
    const [own, others] = await Promise.all([listGrants(session.client, namespace), listClusterGrants(session.client)])
    if (others.unseen !== null) notes.push(others.unseen)
    const grants = [...own, ...others.rows].filter((grant) => !hasEnded(grant))
    return new Map(grants.flatMap((grant) => grant.bindings.map((uid) => [uid, grant] as const)))
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error
    notes.push(`which grants there are cannot be told: ${error.message}`)
    return new Map()
  }
}
