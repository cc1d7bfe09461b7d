import { marks, apiVersion, type OwnerReference } from '../api/v1alpha1/objects.ts'

export const managedByLapse = { [marks.managedBy]: 'lapse' } as const

/** Selects what carries a grant, whichever: the label's mere presence does. */
export const carriesGrant = `${marks.managedBy}=${managedByLapse[marks.managedBy]},${marks.grantUid}`

/**
 * The owner reference on what the operator makes. The garbage collector removes the object with its owner, operator or
 * not, and blockOwnerDeletion is false so that nothing stands in front of deleting the owner.
 */
export function ownedBy(
  kind: 'NHIGrant' | 'ClusterNHIGrant' | 'AccessPolicyRevision',
  owner: { readonly name: string; readonly uid: string },
): OwnerReference {
  return { apiVersion, kind, name: owner.name, uid: owner.uid, controller: true, blockOwnerDeletion: false }
}

/** Whether the object was made for this owner: by UID, since names come back. */
export function isOwnedBy(
  object: { readonly metadata: { readonly ownerReferences?: readonly OwnerReference[] } },
  uid: string,
): boolean {
  return (object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid)
}
