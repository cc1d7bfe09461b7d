import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { resources, type ResourceType } from '../../cluster/resources.ts'

/** Where a grant of this kind lives in the API. */
export function grantType({ kind }: Pick<NHIGrant, 'kind'>): ResourceType {
  return kind === 'ClusterNHIGrant' ? resources.clusterNhiGrants : resources.nhiGrants
}
