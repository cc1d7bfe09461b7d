import { highFinding } from '../core/finding.ts'
import { allowed } from './answer.ts'
import { refuseForeignWrite, type Review } from './review.ts'

/** A revision is the record of what was accepted: its roles, and the pins that name it, stand on it. */
export const reviewRevision: Review = (request, { operatorUser }) => {
  if (request.user.username === operatorUser) return allowed
  const message = `only ${operatorUser} creates, changes and deletes revisions`
  const remedy = 'change the AccessPolicy and raise its version'
  return refuseForeignWrite(request, highFinding('revision-guarded', '', message, remedy))
}
