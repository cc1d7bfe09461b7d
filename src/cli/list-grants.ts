import { Forbidden, NotFound } from '../cluster/errors.ts'
import type { ClusterClient } from '../cluster/ports.ts'
import { resources } from '../cluster/resources.ts'
import { grantRow, type GrantRow } from './grant-row.ts'

type Lists = Pick<ClusterClient, 'list'>

/** The grants of a namespace (empty: of all), by namespace and name. Throws ClusterError. */
export async function listGrants(client: Lists, namespace: string): Promise<readonly GrantRow[]> {
  return (await client.list(resources.nhiGrants, { namespace })).map(grantRow).sort(byPlace)
}

export interface ClusterGrants {
  readonly rows: readonly GrantRow[]
  /** What is to be told of those that are not among them; null: these are all. */
  readonly unseen: string | null
}

/** Those that hold in the cluster as a whole, which fewer people may list. Throws ClusterError but for that. */
export async function listClusterGrants(client: Lists): Promise<ClusterGrants> {
  try {
    return { rows: (await client.list(resources.clusterNhiGrants)).map(grantRow).sort(byPlace), unseen: null }
  } catch (error) {
    if (error instanceof NotFound && error.missing === 'resource') return { rows: [], unseen: null }
    if (error instanceof Forbidden)
      return { rows: [], unseen: 'ClusterNHIGrants are not known: they may not be listed' }
    throw error
  }
}

function byPlace(a: GrantRow, b: GrantRow): number {
  return a.namespace.localeCompare(b.namespace, 'en') || a.name.localeCompare(b.name, 'en')
}
