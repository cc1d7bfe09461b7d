import { mutate } from './mutate.ts'
import { reviewAccess } from './review-access.ts'
import { reviewApproval } from './review-approval.ts'
import { reviewGrant } from './review-grant.ts'
import { reviewNamespace } from './review-namespace.ts'
import { reviewOwnDefinition } from './review-own-definition.ts'
import { reviewPolicy } from './review-policy.ts'
import { reviewRevision } from './review-revision.ts'
import { byKind, type Review } from './review.ts'
import { reviewStatus } from './review-status.ts'
import { reviewSuspension } from './review-suspension.ts'
import { reviewWorkloads } from './review-workload.ts'

export interface Webhook {
  /** How metrics call it. */
  readonly name: string
  readonly review: Review
}

const reviewOwnKinds: Review = byKind({
  'lapse.dev/NHIGrant': reviewGrant,
  'lapse.dev/NHIGrant/status': reviewStatus,
  'lapse.dev/ClusterNHIGrant': reviewGrant,
  'lapse.dev/ClusterNHIGrant/status': reviewStatus,
  'lapse.dev/NHIGrantApproval': reviewApproval,
  'lapse.dev/NHISuspension': reviewSuspension,
  'lapse.dev/AccessPolicy': reviewPolicy,
  'lapse.dev/AccessPolicy/status': reviewStatus,
  'lapse.dev/AccessPolicyRevision': reviewRevision,
  'lapse.dev/AccessPolicyRevision/status': reviewRevision,
})

/** What stands around us in the cluster. */
const reviewSurroundings: Review = byKind({
  Namespace: reviewNamespace,
  // labels change by these as well
  'Namespace/status': reviewNamespace,
  'Namespace/finalize': reviewNamespace,
  'apiextensions.k8s.io/CustomResourceDefinition': reviewOwnDefinition,
  'apiextensions.k8s.io/CustomResourceDefinition/status': reviewOwnDefinition,
})

/** Every webhook by its path. The paths are in the webhook configurations of users: they do not change. */
export const webhooks: ReadonlyMap<string, Webhook> = new Map([
  ['/v1/admit/workloads', { name: 'workloads', review: reviewWorkloads }],
  ['/v1/admit/access', { name: 'access', review: reviewAccess }],
  ['/v1/admit/lapse', { name: 'lapse', review: reviewOwnKinds }],
  ['/v1/admit/cluster', { name: 'cluster', review: reviewSurroundings }],
  ['/v1/mutate', { name: 'mutate', review: mutate }],
])
