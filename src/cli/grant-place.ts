import type { ObjectKey } from '../cluster/ports.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import type { ClusterSession } from './cluster-session.ts'

/** Where a grant of that name is that a command names; isWide, which is no without it: it is for the whole cluster. */
export function placeOf(
  name: string,
  { isWide = false }: { readonly isWide?: boolean },
  { namespace }: Pick<ClusterSession, 'namespace'>,
): { readonly type: ResourceType; readonly key: ObjectKey } {
  return isWide
    ? { type: resources.clusterNhiGrants, key: { namespace: '', name } }
    : { type: resources.nhiGrants, key: { namespace, name } }
}
