import { grantLabel } from '../../core/rbac/read-objects.ts'
import type { AccessPolicyRevisionSpec, AccessPolicyRevisionStatus } from './access-policy-revision.schema.ts'
import type { AccessPolicySpec, AccessPolicyStatus } from './access-policy.schema.ts'
import type { NHIGrantApprovalSpec } from './nhi-grant-approval.schema.ts'
import type { NHIGrantSpec } from './nhi-grant.schema.ts'
import type { NHIGrantStatus } from './nhi-grant-status.schema.ts'
import type { NHISuspensionSpec } from './nhi-suspension.schema.ts'

export const group = 'lapse.dev'
export const apiVersion = `${group}/v1alpha1`

/** The part of metav1.ObjectMeta that Lapse reads. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface AccessPolicy {
  readonly apiVersion: typeof apiVersion
  readonly kind: 'AccessPolicy'
  readonly metadata: ObjectMeta
  readonly spec: AccessPolicySpec
  readonly status?: AccessPolicyStatus
}

export interface AccessPolicyRevision {
  readonly apiVersion: typeof apiVersion
  readonly kind: 'AccessPolicyRevision'
  readonly metadata: ObjectMeta
  readonly spec: AccessPolicyRevisionSpec
  readonly status?: AccessPolicyRevisionStatus
}

/** A ClusterNHIGrant is one as well, without a namespace: what its kind does not know its spec never has. */
export interface NHIGrant {
  readonly apiVersion: typeof apiVersion
  readonly kind: 'NHIGrant' | 'ClusterNHIGrant'
  readonly metadata: ObjectMeta
  readonly spec: NHIGrantSpec
  readonly status?: NHIGrantStatus
}

export interface NHIGrantApproval {
  readonly apiVersion: typeof apiVersion
  readonly kind: 'NHIGrantApproval'
  readonly metadata: ObjectMeta
  readonly spec: NHIGrantApprovalSpec
}

export interface NHISuspension {
  readonly apiVersion: typeof apiVersion
  readonly kind: 'NHISuspension'
  readonly metadata: ObjectMeta
  readonly spec: NHISuspensionSpec
}

/** Labels and annotations that carry meaning; there are no others. */
export const marks = {
  managedBy: 'lapse.dev/managed-by',
  /** Label on what the operator makes: the policy's name. Annotation on a pod template: the pin, NAME@VERSION. */
  policy: 'lapse.dev/policy',
  policyVersion: 'lapse.dev/policy-version',
  grantUid: grantLabel,
  notAfter: 'lapse.dev/not-after',
  /** Annotation on an AccessPolicy, stamped at admission: who last changed its spec. */
  appliedBy: 'lapse.dev/applied-by',
} as const
