import { isDeepStrictEqual } from 'node:util'
import {
  grantNamespaceOf,
  parseNHIGrantApproval,
  type ParsedApproval,
} from '../api/v1alpha1/parse-nhi-grant-approval.ts'
import { highFinding, type Finding } from '../core/finding.ts'
import { isTerminal } from '../core/grant/grant.ts'
import { reviewApproval as decideApproval } from '../core/grant/review-approval.ts'
import type { World } from '../core/world.ts'
import { addedOwners } from './added-owners.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, refused, type Answer, type WorldReference } from './answer.ts'
import { describeObject, refuseBy, refuseInvalid, type Review, type Snapshot } from './review.ts'
import { sayingOf } from './said-of-grants.ts'

/** What is said of a grant is said by whoever may, of what he has looked at, once and for good. */
export const reviewApproval: Review = (request, snapshot) => {
  switch (request.operation) {
    case 'CREATE':
      return reviewNewApproval(request, snapshot)
    case 'UPDATE':
      return reviewChange(request)
    case 'DELETE':
      return reviewDeletion(request, snapshot)
    case 'CONNECT':
      return refused(403, `denied by lapse: nothing connects to ${describeObject(request)}`)
  }
}

const reviewNewApproval: Review = (request, { world, now, said }) => {
  const parsed = parseNHIGrantApproval(request.object)
  if (!parsed.ok) return refuseInvalid(request, parsed.problems)
  const { spec } = parsed.value
  const { decision, grantDigest } = spec
  const { name, uid } = spec.grant
  const namespace = grantNamespaceOf(request.namespace, spec)
  const asked = { grant: { namespace, name, uid }, grantDigest, decision, approver: request.user }
  const findings = [
    ...reviewStamp(request, parsed.value),
    ...reviewPlace(request, parsed.value, world),
    ...decideApproval(asked, world, now),
  ]
  if (findings.length === 0) return reviewRepetition(request, spec, said)
  const policy = world.grant(namespace, name)?.spec.policy.name ?? null
  return refuseBy(request, 'would count for nothing', findings, { unsettled: unsettledIn(asked, policy, findings) })
}

/** The mutating webhook stamps it; another one may have written over it. */
function reviewStamp({ user }: AdmissionRequest, { spec }: ParsedApproval): readonly Finding[] {
  if (spec.approver === user.username) return []
  const found = spec.approver === undefined ? 'but is not there' : `not ${spec.approver}`
  const message = `must be ${user.username}, who says it, ${found}`
  return [highFinding('approver-forged', 'spec.approver', message, 'leave it to the mutating webhook of lapse')]
}

/** What is said of a grant without a namespace must be where no tenant can delete it with its namespace. */
function reviewPlace({ namespace }: AdmissionRequest, { spec }: ParsedApproval, world: World): readonly Finding[] {
  const place = world.clusterGrants?.approvalNamespace ?? null
  if (spec.grant.kind !== 'ClusterNHIGrant' || namespace === place) return []
  const message = `what is said of a ClusterNHIGrant counts in ${place === null ? 'no namespace' : `namespace ${place}`} only`
  return [highFinding('approval-misplaced', 'metadata.namespace', message, 'create it there')]
}

/**
 * Only one of what an approver says twice counts, and each would be kept and looked at. What the cache has yet to hear of passes, and
 * counts once. Not AlreadyExists: the API server would take it for a taken name and ask eight times where a name is generated.
 */
function reviewRepetition(request: AdmissionRequest, spec: ParsedApproval['spec'], said: Snapshot['said']): Answer {
  const known = said?.nameOf(sayingOf({ namespace: request.namespace, spec })) ?? null
  if (known === null) return allowed
  const done = { Approve: 'approved', Deny: 'denied', Review: 'reviewed' }[spec.decision]
  const message = `${request.user.username} has already ${done} this grant as it is: ${known}`
  return refuseBy(request, 'says nothing new', [
    highFinding('approval-repeated', 'spec', message, 'leave it at that: nobody counts twice'),
  ])
}

/** What may still be on its way to us: the grant itself, how it has ended, or a newer version of its policy. */
function unsettledIn(
  { grant, decision }: Parameters<typeof decideApproval>[0],
  policy: string | null,
  findings: readonly Finding[],
): readonly WorldReference[] {
  const kind = grant.namespace === '' ? 'ClusterNHIGrant' : 'NHIGrant'
  const own: WorldReference = { kind, namespace: grant.namespace, name: grant.name }
  return findings.flatMap(({ check }) => {
    if (check === 'approval-grant-missing') return [own]
    if (check === 'approval-out-of-time') return decision === 'Review' ? [own] : []
    if (check === 'approval-outdated' && policy !== null) return [{ kind: 'AccessPolicy', namespace: '', name: policy }]
    return []
  })
}

/** Its labels are not what it says. It may lose its owner, but with another one it could be deleted. */
function reviewChange(request: AdmissionRequest): Answer {
  const { object, oldObject } = request
  const owners = addedOwners(oldObject, object).map((owner) =>
    highFinding(
      'record-kept',
      'metadata.ownerReferences',
      `it goes with its grant, not with ${owner}`,
      'leave it as it is',
    ),
  )
  const changed = isDeepStrictEqual(oldObject?.['spec'], object?.['spec']) ? [] : [immutable]
  const findings = [...changed, ...owners]
  if (findings.length === 0) return allowed
  return refuseBy(request, 'was changed', findings)
}

const immutable = highFinding('approval-immutable', 'spec', 'is immutable', 'create another one')

/** To take back a Deny could give access. What was said of a grant that is over, or gone, is nobody's any more. */
const reviewDeletion: Review = (request, { world, operatorUser }) => {
  if (request.user.username === operatorUser) return allowed
  const parsed = parseNHIGrantApproval(request.oldObject)
  if (!parsed.ok || isOver(request.namespace, parsed.value, world)) return allowed
  const { name } = parsed.value.spec.grant
  const message = `what is said of grant ${name} stands until that is over`
  const remedy = 'say something else by another one, or end the grant by its spec.revoke'
  return refuseBy(request, 'may not be deleted', [highFinding('record-kept', '', message, remedy)])
}

function isOver(namespace: string, { spec }: ParsedApproval, world: World): boolean {
  const grant = world.grant(grantNamespaceOf(namespace, spec), spec.grant.name)
  return grant === null || grant.uid !== spec.grant.uid || isTerminal(grant.state)
}
