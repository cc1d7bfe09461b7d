import { Forbidden } from '../cluster/errors.ts'
import type { Identity } from '../core/identity.ts'
import type { RequestAttributes } from '../core/rbac/authorize.ts'
import { rbacUserOf, type RbacUser } from '../core/rbac/subject.ts'
import { accessPaths, allowedNames, type AccessPath } from './access-paths.ts'
import type { ClusterSession } from './cluster-session.ts'
import { identityText, parseIdentity } from './identity-text.ts'
import { grantsByBinding, readRbac, requestOf, type RequestText } from './read-access.ts'

/** What is asked of whom, as it was written. */
export interface AccessQuestionText extends RequestText {
  readonly subject: string
  /** Of a User, beside those that its name implies. */
  readonly groups: readonly string[]
}

export interface AccessExplanation {
  readonly subject: Identity
  readonly request: RequestAttributes
  /** The API server's answer where it was to be had, else that of RBAC as it was read. */
  readonly allowed: boolean
  /** What the API server says with all its authorizers; null: it may not be asked. */
  readonly authorizer: boolean | null
  readonly paths: readonly AccessPath[]
  /** Objects to which it is allowed by name, although not without one. */
  readonly names: readonly string[]
  /** What could not be found out, for stderr. */
  readonly notes: readonly string[]
}

/** Reads RBAC and the grants, and asks for a second opinion. Throws UsageError and what the lists throw. */
export async function explainAccess(question: AccessQuestionText, session: ClusterSession): Promise<AccessExplanation> {
  const subject = parseIdentity('SUBJECT', question.subject, session.namespace)
  const notes: string[] = []
  const request = await requestOf(question, session, notes)
  const own = rbacUserOf(subject)
  const user = { ...own, groups: [...new Set([...own.groups, ...question.groups])] }
  const [view, carriedBy, authorizer] = await Promise.all([
    readRbac(session, request.namespace),
    grantsByBinding(session, request.namespace, notes),
    secondOpinion(session, user, request),
  ])
  const paths = accessPaths(user, request, view, carriedBy)
  const allowed = authorizer ?? paths.length > 0
  const names = allowed || request.name !== '' ? [] : allowedNames(user, request, view)
  if (subject.kind === 'User' && question.groups.length === 0)
    notes.push(`only the groups that its name implies are known of ${identityText(subject)}; --group adds others`)
  return { subject, request, allowed, authorizer, paths, names, notes }
}

/** One SubjectAccessReview: an authorizer other than RBAC may allow it, or refuse it first. */
async function secondOpinion(
  { client }: ClusterSession,
  { username, groups }: RbacUser,
  { path, ...attributes }: RequestAttributes,
): Promise<boolean | null> {
  if (path !== '') return null
  try {
    return await client.isAllowed({ username: username ?? '', groups, ...attributes })
  } catch (error) {
    if (error instanceof Forbidden) return null
    throw error
  }
}
