import { isObject } from '../api/validate.ts'
import { highFinding, type Finding } from '../core/finding.ts'
import { readUnreviewed } from '../world/read-facts.ts'
import { addedOwners } from './added-owners.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, type Answer } from './answer.ts'
import { refuseBy } from './review.ts'

/**
 * What was issued as an emergency is there to be reviewed, and stands in the way of the next one until it was: whoever deletes it would
 * be rid of both. Every other grant may be deleted, which ends it.
 */
export function reviewEmergencyDeletion(request: AdmissionRequest): Answer {
  if (readUnreviewed(request.oldObject) === null) return allowed
  const message = 'it was issued as an emergency, and nobody has reviewed it'
  const remedy = 'to end the access set spec.revoke; once it was reviewed it may be deleted'
  return refuseBy(request, 'may not be deleted', [highFinding('record-kept', '', message, remedy)])
}

/** An emergency goes with nothing, or it would go before its review. */
export function reviewEmergencyOwners({ object, oldObject }: AdmissionRequest): readonly Finding[] {
  const spec = object?.['spec']
  if (!isObject(spec) || !isObject(spec['breakGlass'])) return []
  const message = 'an emergency goes with nobody: it is to be reviewed'
  return addedOwners(oldObject, object).map((owner) =>
    highFinding('record-kept', 'metadata.ownerReferences', `${message}, not with ${owner}`, 'leave its owner out'),
  )
}
