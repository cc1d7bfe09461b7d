import { ClusterError, Forbidden } from '../cluster/errors.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import type { Identity } from '../core/identity.ts'
import type { RequestAttributes } from '../core/rbac/authorize.ts'
import { RbacIndex } from '../core/rbac/rbac-index.ts'
import type { RbacKind } from '../core/rbac/read-objects.ts'
import { rbacUserOf, type RbacUser } from '../core/rbac/subject.ts'
import { accessPaths, allowedNames, type AccessPath } from './access-paths.ts'
import type { ClusterSession } from './cluster-session.ts'
import { findResource } from './find-resource.ts'
import { hasEnded, type GrantRow } from './grant-row.ts'
import { identityText, parseIdentity } from './identity-text.ts'
import { listClusterGrants, listGrants } from './list-grants.ts'

/** What is asked, as it was written. */
export interface AccessQuestionText {
  readonly subject: string
  /** Of a User, beside those that its name implies. */
  readonly groups: readonly string[]
  readonly verb: string
  /** Empty, or the path in place of a resource. */
  readonly path: string
  readonly resource: string
  readonly name: string
  readonly subresource: string
  /** All namespaces at once. */
  readonly everywhere: boolean
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

async function requestOf(
  { verb, path, resource, name, subresource, everywhere }: AccessQuestionText,
  { transport, namespace }: ClusterSession,
  notes: string[],
): Promise<RequestAttributes> {
  const nowhere = { verb, namespace: '', apiGroup: '', resource: '', subresource: '', name: '', path }
  if (path !== '') return nowhere
  const found = await findResource(transport, resource)
  if (!found.served) notes.push(`the cluster does not say that it serves ${resource}: taken as it is written`)
  const place = found.scope === 'Cluster' || everywhere ? '' : namespace
  // the API server authorizes a request for one Namespace as made in it
  const own = found.group === '' && found.plural === 'namespaces' ? name : place
  return { ...nowhere, namespace: own, apiGroup: found.group, resource: found.plural, subresource, name }
}

async function readRbac({ client }: ClusterSession, namespace: string): Promise<RbacIndex> {
  const index = new RbacIndex()
  const take = async (kind: RbacKind, type: ResourceType): Promise<void> => {
    for (const object of await client.list(type, { namespace })) index.upsert(kind, object)
  }
  const inNamespace =
    namespace === '' ? [] : [take('Role', resources.roles), take('RoleBinding', resources.roleBindings)]
  const inCluster = [
    take('ClusterRole', resources.clusterRoles),
    take('ClusterRoleBinding', resources.clusterRoleBindings),
  ]
  await Promise.all([...inNamespace, ...inCluster])
  return index
}

async function grantsByBinding(
  session: ClusterSession,
  namespace: string,
  notes: string[],
): Promise<ReadonlyMap<string, GrantRow>> {
  try {
    const [own, others] = await Promise.all([listGrants(session.client, namespace), listClusterGrants(session.client)])
    if (others.unseen !== null) notes.push(others.unseen)
    const grants = [...own, ...others.rows].filter((grant) => !hasEnded(grant))
    return new Map(grants.flatMap((grant) => grant.bindings.map((uid) => [uid, grant] as const)))
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error
    notes.push(`which grants there are cannot be told: ${error.message}`)
    return new Map()
  }
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
