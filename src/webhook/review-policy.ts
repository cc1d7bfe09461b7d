import { isDeepStrictEqual } from 'node:util'
import { marks } from '../api/v1alpha1/objects.ts'
import { parseAccessPolicy } from '../api/v1alpha1/parse-access-policy.ts'
import { highFinding, type Finding } from '../core/finding.ts'
import { reviewPolicyChange } from '../core/policy/accept.ts'
import { describePolicy, type Policy } from '../core/policy/policy.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, type Answer } from './answer.ts'
import { authorAfter, authorOf } from './applied-by.ts'
import { refuseBy, refuseInvalid, type Review } from './review.ts'

/** A write that leaves the spec as it is passes even where the spec could not be written today. */
export const reviewPolicy: Review = (request, { world, now }) => {
  if (request.operation === 'DELETE') return allowed
  const forged = reviewAuthor(request)
  if (request.oldObject !== null && isDeepStrictEqual(request.object?.['spec'], request.oldObject['spec']))
    return forged.length === 0 ? allowed : refuse(request, null, forged)
  const after = parseAccessPolicy(request.object)
  if (!after.ok) return refuseInvalid(request, after.problems)
  const before = policyBefore(request)
  const findings = [...reviewPolicyChange(before, after.value, world, now), ...forged]
  return findings.length === 0 ? allowed : refuse(request, before ?? after.value, findings)
}

/** null: new, or not readable and therefore never in force. */
function policyBefore({ oldObject }: AdmissionRequest): Policy | null {
  if (oldObject === null) return null
  const parsed = parseAccessPolicy(oldObject)
  return parsed.ok ? parsed.value : null
}

/** The mutating webhook stamps the author; another one may have written over it. */
function reviewAuthor(request: AdmissionRequest): readonly Finding[] {
  const wanted = authorAfter(request)
  const found = authorOf(request.object)
  if (wanted === found) return []
  const message =
    wanted === null
      ? `names ${found}, but nobody is on record as the author of the spec`
      : `must name ${wanted}, who last changed the spec, ${found === null ? 'but is not there' : `not ${found}`}`
  const path = `metadata.annotations["${marks.appliedBy}"]`
  const remedy = 'leave it to the mutating webhook of lapse, which writes it'
  return [highFinding('author-forged', path, message, remedy)]
}

function refuse(request: AdmissionRequest, known: Policy | null, findings: readonly Finding[]): Answer {
  const isNew = request.oldObject === null || known === null
  const why = isNew ? 'cannot be accepted' : `cannot take the place of ${describePolicy(known)}`
  const owners = known === null ? [] : [known.owner]
  return refuseBy(request, why, findings, { owners })
}
