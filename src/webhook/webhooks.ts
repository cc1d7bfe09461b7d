import { mutate } from './mutate.ts'
import { reviewAccess } from './review-access.ts'
import { reviewGrant } from './review-grant.ts'
import { reviewPolicy } from './review-policy.ts'
import { reviewRevision } from './review-revision.ts'
import { byKind, type Review } from './review.ts'
import { reviewStatus } from './review-status.ts'
import { reviewWorkloads } from './review-workload.ts'

export interface Webhook {
  /** How metrics call it. */
  readonly name: string
  readonly review: Review
}

const reviewOwnKinds: Review = byKind({
  'lapse.dev/NHIGrant': reviewGrant,
  'lapse.dev/NHIGrant/status': reviewStatus,
  'lapse.dev/AccessPolicy': reviewPolicy,
  'lapse.dev/AccessPolicy/status': reviewStatus,
  'lapse.dev/AccessPolicyRevision': reviewRevision,
  'lapse.dev/AccessPolicyRevision/status': reviewRevision,
})

/** Every webhook by its path. The paths are in the webhook configurations of users: they do not change. */
export const webhooks: ReadonlyMap<string, Webhook> = new Map([
  ['/v1/admit/workloads', { name: 'workloads', review: reviewWorkloads }],
  ['/v1/admit/access', { name: 'access', review: reviewAccess }],
  ['/v1/admit/lapse', { name: 'lapse', review: reviewOwnKinds }],
  ['/v1/mutate', { name: 'mutate', review: mutate }],
])
