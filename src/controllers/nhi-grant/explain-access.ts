import type { AccessQuestion, ClusterClient } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { authorize } from '../../core/rbac/authorize.ts'
import { RbacIndex } from '../../core/rbac/rbac-index.ts'

/** What is said of a yes that no binding explains. */
export const otherAuthorizer = 'an authorizer other than RBAC'

/** Which bindings answer the questions with yes, read from the API server and not from a cache; sorted. */
export async function explainAccess(
  client: ClusterClient,
  questions: readonly AccessQuestion[],
): Promise<readonly string[]> {
  const index = new RbacIndex()
  const namespace = questions[0]?.namespace ?? ''
  const [roles, clusterRoles, roleBindings, clusterRoleBindings] = await Promise.all([
    client.list(resources.roles, { namespace }),
    client.list(resources.clusterRoles),
    client.list(resources.roleBindings, { namespace }),
    client.list(resources.clusterRoleBindings),
  ])
  for (const role of roles) index.upsert('Role', role)
  for (const role of clusterRoles) index.upsert('ClusterRole', role)
  for (const binding of roleBindings) index.upsert('RoleBinding', binding)
  for (const binding of clusterRoleBindings) index.upsert('ClusterRoleBinding', binding)
  return [...new Set(questions.map((question) => sourceOf(question, index)))].sort()
}

function sourceOf(question: AccessQuestion, index: RbacIndex): string {
  const user = { username: question.username === '' ? null : question.username, groups: question.groups }
  const answer = authorize(user, { ...question, path: '' }, index)
  if (!answer.allowed) return otherAuthorizer
  if (answer.by.kind === 'SuperUser') return 'membership of system:masters'
  const { namespace, name } = answer.by.binding
  return namespace === null ? `ClusterRoleBinding ${name}` : `RoleBinding ${namespace}/${name}`
}
