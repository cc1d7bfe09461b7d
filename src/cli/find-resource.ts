import { ClusterError } from '../cluster/errors.ts'
import type { Transport } from '../cluster/transport.ts'

/** A resource as requests name it. */
export interface FoundResource {
  /** Empty for the core group. */
  readonly group: string
  readonly plural: string
  readonly scope: 'Namespaced' | 'Cluster'
  /** False: the cluster does not serve it, or could not be asked; group and plural are as they were written. */
  readonly served: boolean
}

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

interface Discovery {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string }
    readonly versions?: readonly { readonly resources?: readonly DiscoveredResource[] }[]
  }[]
}

interface DiscoveredResource {
  readonly resource: string
  readonly scope: string
  readonly singularResource?: string
  readonly shortNames?: readonly string[]
}

/**
 * What kubectl would take `deployments`, `deployment`, `deploy` or `deployments.apps` for: the first of that name, those
 * of the core group first. Two calls.
 */
export async function findResource(transport: Pick<Transport, 'call'>, text: string): Promise<FoundResource> {
  const [name = '', ...rest] = text.split('.')
  const group = rest.length === 0 ? null : rest.join('.')
  const known = await Promise.all(['/api', '/apis'].map((path) => resourcesAt(transport, path)))
  const found = known
    .flat()
    .filter((each) => group === null || each.group === group)
    .find(({ resource }) => namesOf(resource).includes(name.toLowerCase()))
  if (found === undefined) return { group: group ?? '', plural: name, scope: 'Namespaced', served: false }
  const { resource, scope } = found.resource
  return { group: found.group, plural: resource, scope: scope === 'Cluster' ? 'Cluster' : 'Namespaced', served: true }
}

function namesOf({ resource, singularResource = '', shortNames = [] }: DiscoveredResource): readonly string[] {
  return [resource, singularResource, ...shortNames]
}

interface GroupResource {
  readonly group: string
  readonly resource: DiscoveredResource
}

/** Empty where the user may not look, or the API server tells it in the old form. */
async function resourcesAt(transport: Pick<Transport, 'call'>, path: string): Promise<readonly GroupResource[]> {
  try {
    const { items = [] } = (await transport.call('GET', path, undefined, { accept })) as Discovery
    return items.flatMap(({ metadata, versions = [] }) =>
      versions.flatMap(({ resources = [] }) =>
        resources.map((resource) => ({ group: metadata?.name ?? '', resource })),
      ),
    )
  } catch (error) {
    if (error instanceof ClusterError) return []
    throw error
  }
}
