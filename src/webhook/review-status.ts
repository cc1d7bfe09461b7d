import { highFinding } from '../core/finding.ts'
import { allowed } from './answer.ts'
import { refuseForeignWrite, type Review } from './review.ts'

/** Who may write the status could approve himself, or lengthen what was granted. */
export const reviewStatus: Review = (request, { operatorUser }) => {
  if (request.user.username === operatorUser) return allowed
  const remedy = request.kind.endsWith('NHIGrant') ? 'to end a grant set spec.revoke' : 'change spec instead'
  return refuseForeignWrite(request, highFinding('status-guarded', 'status', `only ${operatorUser} writes it`, remedy))
}
