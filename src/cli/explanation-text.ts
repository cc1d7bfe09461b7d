import { apiVersion } from '../api/v1alpha1/objects.ts'
import { describeIdentity } from '../core/identity.ts'
import { describeProvenance, type Provenance, type RequestAttributes } from '../core/rbac/authorize.ts'
import type { BindingObject } from '../core/rbac/objects.ts'
import { describeRule, qualifiedResource } from '../core/rbac/rule.ts'
import { formatInstant, type Instant } from '../core/time.ts'
import type { AccessPath } from './access-paths.ts'
import type { AccessExplanation } from './explain-access.ts'
import { grantName, policyText, type GrantRow } from './grant-row.ts'
import { linesOfText } from './one-line.ts'
import { timeLeft } from './time-left.ts'

export function explanationText(explanation: AccessExplanation, now: Instant): string {
  const { subject, request, allowed, paths } = explanation
  const answer = `${allowed ? 'yes' : 'no'}: ${describeIdentity(subject)} ${allowed ? 'may' : 'may not'} ${deed(request)}`
  return linesOfText([answer, ...paths.flatMap((path) => pathLines(path, now)), ...remarks(explanation)])
}

/** `delete secrets named a in payments` */
export function deed({ verb, path, apiGroup, resource, subresource, name, namespace }: RequestAttributes): string {
  if (path !== '') return `${verb} ${path}`
  const what = qualifiedResource(apiGroup, subresource === '' ? resource : `${resource}/${subresource}`)
  return `${verb} ${what}${name === '' ? '' : ` named ${name}`}${namespace === '' ? '' : ` in ${namespace}`}`
}

function pathLines({ binding, rule, grant }: AccessPath, now: Instant): readonly string[] {
  const by: Provenance =
    binding === null ? { kind: 'SuperUser', rule } : { kind: 'Binding', binding, role: binding.roleRef, rule }
  return [`  ${describeProvenance(by)}: ${describeRule(rule)}`, `    ${untilText(grant, now)}`]
}

/** By which grant, and until when. */
export function untilText(grant: GrantRow | null, now: Instant): string {
  if (grant === null) return 'for good: no grant carries it'
  const until =
    grant.notAfter === null ? '' : `, until ${formatInstant(grant.notAfter)} (${timeLeft(grant.notAfter, now)} left)`
  return `${grant.kind} ${grantName(grant)} under ${policyText(grant)}${until}`
}

/** What RBAC and the API server do not agree on, and what comes near. */
function remarks({ allowed, authorizer, paths, names }: AccessExplanation): readonly string[] {
  if (authorizer === true && paths.length === 0)
    return ['  no binding gives it: another authorizer of the API server allows it, or a group that is not known here']
  if (authorizer === false && paths.length > 0)
    return ['  the API server denies it all the same: an authorizer before RBAC, or RBAC that has just changed']
  if (allowed) return []
  return names.length === 0 ? ['  nothing gives it'] : [`  only by name: ${names.join(', ')}`]
}

export function explanationDocument({
  subject,
  request,
  allowed,
  authorizer,
  paths,
  names,
}: AccessExplanation): object {
  return {
    apiVersion,
    kind: 'AccessExplanation',
    subject,
    request,
    allowed,
    authorizer: authorizer === null ? 'Unknown' : authorizer ? 'Allowed' : 'Denied',
    paths: paths.map(pathDocument),
    names,
  }
}

function pathDocument({ binding, rule, grant }: AccessPath): object {
  return {
    binding: binding === null ? null : bindingDocument(binding),
    rule,
    grant: grant === null ? null : grantReference(grant),
  }
}

export function bindingDocument({ namespace, name, roleRef }: BindingObject): object {
  return namespace === null
    ? { kind: 'ClusterRoleBinding', name, roleRef }
    : { kind: 'RoleBinding', namespace, name, roleRef }
}

export function grantReference({ kind, namespace, name, policy, notAfter }: GrantRow): object {
  return {
    kind,
    ...(namespace !== '' && { namespace }),
    name,
    policy,
    notAfter: notAfter === null ? null : formatInstant(notAfter),
  }
}
