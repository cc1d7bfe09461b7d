import { isObject, type JsonObject } from '../api/validate.ts'
import { reviewServiceAccount, type AccountMarks } from '../core/access/service-account.ts'
import { reviewTokenSecret, tokenAccountAnnotation, tokenSecretType } from '../core/access/token-secret.ts'
import type { Labels } from '../core/selector.ts'
import type { World } from '../core/world.ts'
import { readLabels } from '../world/read-facts.ts'
import { allowed, type WorldReference } from './answer.ts'
import { annotationsOf } from './applied-by.ts'
import { answerTo } from './review-standing.ts'
import type { Review } from './review.ts'

/** Remarks only: what happens to a ServiceAccount refuses nothing. */
export const reviewAccount: Review = (request, { world }) => {
  const { operation, namespace, name, object, oldObject } = request
  if (operation === 'DELETE') return allowed
  const before = oldObject === null ? null : marksOf(oldObject)
  return answerTo(request, reviewServiceAccount({ namespace, name, before, after: marksOf(object) }, world), [], [])
}

/** The webhook's configuration sends no other Secrets than those with a token, and of these only what names an account anew. */
export const reviewSecret: Review = (request, { world }) => {
  const { operation, namespace, object, oldObject } = request
  if (operation === 'DELETE' || object?.['type'] !== tokenSecretType) return allowed
  const account = accountOf(object)
  const verdict = reviewTokenSecret({ namespace, account, accountBefore: accountOf(oldObject) }, world)
  return answerTo(request, verdict, [], verdict.findings.length === 0 ? [] : missing(namespace, account, world))
}

function missing(namespace: string, name: string | null, world: World): readonly WorldReference[] {
  if (name === null || world.serviceAccount(namespace, name) !== null) return []
  return [{ kind: 'ServiceAccount', namespace, name }]
}

/** null: the Secret is none with a token, or names nobody. */
function accountOf(secret: JsonObject | null): string | null {
  if (secret?.['type'] !== tokenSecretType) return null
  const name = annotationsOf(secret)?.[tokenAccountAnnotation]
  return typeof name === 'string' && name !== '' ? name : null
}

function marksOf(object: JsonObject | null): AccountMarks {
  return { labels: readLabels(object), annotations: textsIn(annotationsOf(object)) }
}

function textsIn(fields: JsonObject | null): Labels {
  if (!isObject(fields)) return {}
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
