import { isObject } from '../api/validate.ts'
import { highFinding } from '../core/finding.ts'
import { allowed } from './answer.ts'
import { refuseForeignWrite, type Review } from './review.ts'

/**
 * The definitions of our kinds hold every policy, revision and grant: who deletes one deletes all its objects, and who changes
 * one changes what is accepted. The webhook's configuration leaves out the writes of those who may.
 */
export const reviewOwnDefinition: Review = (request) => {
  if (request.operation === 'CREATE' || request.user.groups.includes('system:masters')) return allowed
  const spec = request.oldObject?.['spec']
  if (isObject(spec) && spec['group'] !== 'lapse.dev') return allowed
  const message = 'every policy and every grant is stored by this definition: only cluster admins change or delete it'
  const remedy = 'who upgrades lapse is named in crds.changedBy, a value of its chart'
  return refuseForeignWrite(request, highFinding('definition-guarded', '', message, remedy))
}
