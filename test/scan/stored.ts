import type { KubeObject } from '../../src/cluster/ports.ts'
import type { RawObject } from '../webhook/requests.ts'

/** The object as the API server has it: with a UID, and the object that made it, if any. */
export function stored(object: RawObject, { uid, owner, ...fields }: StoredOptions): KubeObject {
  const metadata = object['metadata'] as object
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: 'v1', kind: 'Owner', name: 'owner', uid: owner, controller: true }]
  return {
    ...object,
    ...fields,
    metadata: { ...metadata, uid, resourceVersion: '1', ownerReferences },
  } as unknown as KubeObject
}

export interface StoredOptions {
  readonly uid: string
  /** UID of the object that made it. Default: nobody did. */
  readonly owner?: string
  readonly [field: string]: unknown
}
