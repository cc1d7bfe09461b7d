import canonicalize from 'canonicalize'
import type { Problem } from '../../core/problem.ts'
import { parseDuration, type Millis } from '../../core/time.ts'
import type { AccessPolicySpec } from './access-policy.schema.ts'
import { checkSelector, checkSize, demand } from './check-common.ts'

const hour = 3_600_000

type Grants = NonNullable<AccessPolicySpec['grants']>

/** The rules of the AccessPolicy schema that reach over several fields, as kube-apiserver's CEL states them. */
export function checkAccessPolicySpec(spec: AccessPolicySpec, problems: Problem[]): void {
  checkIssued(spec, problems)
  demand(
    spec.grants !== undefined || spec.workloads !== undefined,
    'spec',
    'a policy needs grants or workloads, otherwise it rules nothing',
    problems,
  )
  demand(
    spec.grants === undefined || spec.scope !== undefined,
    'spec',
    'scope is required with grants: it says in which namespaces they may apply',
    problems,
  )
  checkSubjects(spec.subjects, problems)
  if (spec.scope !== undefined) checkSelector(spec.scope.namespaceSelector, 'spec.scope.namespaceSelector', problems)
  checkPermissions(spec.permissions ?? [], problems)
  if (spec.grants !== undefined) checkGrants(spec.grants, problems)
  checkTokenLifetime(spec.workloads?.maxTokenLifetime, problems)
  checkSize(spec.workloads?.standing ?? [], 'spec.workloads.standing', problems)
}

/** The token that the API server mounts by default asks for 3607 s. */
function checkTokenLifetime(longest: string | undefined, problems: Problem[]): void {
  if (longest === undefined) return
  const message = 'maxTokenLifetime must be at least 3607s, which is what Kubernetes itself asks for'
  demand((parseDuration(longest) ?? 0) >= 3_607_000, 'spec.workloads', message, problems)
}

function checkIssued({ permissions = [], grants, workloads }: AccessPolicySpec, problems: Problem[]): void {
  const hasWaivable = (grants?.waivable ?? []).length > 0
  demand(
    permissions.length === 0 || grants !== undefined,
    'spec',
    'permissions need grants, which say how they are issued',
    problems,
  )
  demand(
    grants === undefined || permissions.length > 0 || hasWaivable,
    'spec',
    'grants need permissions or grants.waivable, otherwise there is nothing to issue',
    problems,
  )
  demand(
    !hasWaivable || workloads !== undefined,
    'spec',
    'grants.waivable needs workloads: their checks are what can be waived',
    problems,
  )
}

function checkSubjects(subjects: AccessPolicySpec['subjects'], problems: Problem[]): void {
  for (const [index, subject] of subjects.entries()) {
    const path = `spec.subjects[${index}]`
    const selector = subject.selector !== undefined
    const names = subject.names !== undefined
    const namespaceSelector = subject.namespaceSelector !== undefined
    if (subject.kind === 'ServiceAccount') {
      const message = 'a ServiceAccount entry needs namespaceSelector, and either selector or names'
      demand(namespaceSelector && selector !== names, path, message, problems)
    } else {
      const message = 'a User or Group entry needs names, and takes no selector and no namespaceSelector'
      demand(names && !selector && !namespaceSelector, path, message, problems)
    }
    if (subject.selector !== undefined) checkSelector(subject.selector, `${path}.selector`, problems)
    if (subject.namespaceSelector !== undefined)
      checkSelector(subject.namespaceSelector, `${path}.namespaceSelector`, problems)
  }
  checkNamesOnce(subjects, problems)
}

function checkNamesOnce(subjects: AccessPolicySpec['subjects'], problems: Problem[]): void {
  const seen = new Set<string>()
  for (const subject of subjects) {
    for (const name of subject.names ?? []) {
      const key = canonicalize([subject.kind, subject.namespaceSelector ?? null, name]) ?? ''
      const message = `one name may be listed only once for the same kind and namespaceSelector: ${subject.kind} ${name}`
      demand(!seen.has(key), 'spec.subjects', message, problems)
      seen.add(key)
    }
  }
}

function checkPermissions(sets: NonNullable<AccessPolicySpec['permissions']>, problems: Problem[]): void {
  for (const [index, set] of sets.entries()) {
    const hasRules = (set.rules ?? []).length > 0
    const message = 'a permission set needs either rules, at least one, or clusterRole'
    demand(hasRules !== (set.clusterRole !== undefined), `spec.permissions[${index}]`, message, problems)
    checkSize(set.rules ?? [], `spec.permissions[${index}].rules`, problems)
  }
}

function checkGrants(grants: Grants, problems: Problem[]): void {
  const max = parseDuration(grants.maxDuration) ?? 0
  const rangeMessage = 'maxDuration must be longer than 0s and at most 2160h'
  demand(max > 0 && max <= 2160 * hour, 'spec.grants', rangeMessage, problems)
  if (grants.defaultDuration !== undefined) {
    const given = parseDuration(grants.defaultDuration) ?? 0
    const message = 'defaultDuration must be longer than 0s, at most 1h, and at most maxDuration'
    demand(given > 0 && given <= hour && given <= max, 'spec.grants', message, problems)
  }
  checkWho(grants.requesters, 'spec.grants.requesters', problems)
  checkApproval(grants, problems)
  checkBreakGlass(grants, max, problems)
  checkOtherwise(grants, problems)
  if (grants.retention !== undefined) {
    const kept = parseDuration(grants.retention) ?? 0
    demand(kept >= 60_000, 'spec.grants', 'retention must be at least 1m', problems)
  }
}

function checkApproval({ approval }: Grants, problems: Problem[]): void {
  if (approval === undefined) return
  checkWho(approval.by, 'spec.grants.approval.by', problems)
  const nobody = 'approval.required needs somebody in approval.by, otherwise nobody may approve'
  demand((approval.required ?? 0) === 0 || approval.by.length > 0, 'spec.grants', nobody, problems)
  if (approval.within === undefined) return
  const within = parseDuration(approval.within) ?? 0
  const message = 'approval.within must be longer than 0s and at most 168h'
  demand(within > 0 && within <= 168 * hour, 'spec.grants', message, problems)
}

function checkBreakGlass({ breakGlass }: Grants, max: Millis, problems: Problem[]): void {
  if (breakGlass === undefined) return
  checkWho(breakGlass.requesters, 'spec.grants.breakGlass.requesters', problems)
  checkWho(breakGlass.reviewers, 'spec.grants.breakGlass.reviewers', problems)
  const longest = parseDuration(breakGlass.maxDuration) ?? 0
  const tooLong = 'breakGlass.maxDuration must be longer than 0s and at most maxDuration'
  demand(longest > 0 && longest <= max, 'spec.grants', tooLong, problems)
  const review = parseDuration(breakGlass.reviewWithin) ?? 0
  const tooLate = 'breakGlass.reviewWithin must be longer than 0s and at most 720h'
  demand(review > 0 && review <= 720 * hour, 'spec.grants', tooLate, problems)
}

function checkOtherwise({ conditions = [] }: Grants, problems: Problem[]): void {
  for (const [index, { otherwise, constrain }] of conditions.entries()) {
    const path = `spec.grants.conditions[${index}]`
    const only = 'constrain is required for otherwise: Constrain, and not allowed for any other'
    demand((otherwise === 'Constrain') === (constrain !== undefined), path, only, problems)
    if (constrain === undefined) continue
    const { maxDuration, permissions } = constrain
    const something = maxDuration !== undefined || permissions !== undefined
    const lasts = maxDuration === undefined || (parseDuration(maxDuration) ?? 0) > 0
    demand(something && lasts, path, 'constrain needs maxDuration, longer than 0s, or permissions', problems)
  }
}

interface Who {
  readonly kind: string
  readonly name?: string
  readonly namespace?: string
}

function checkWho(who: readonly Who[], list: string, problems: Problem[]): void {
  for (const [index, { kind, name, namespace }] of who.entries()) {
    const path = `${list}[${index}]`
    const named = 'name is required for User, Group and ServiceAccount, and not allowed for Self'
    demand((kind === 'Self') === (name === undefined), path, named, problems)
    const placed = 'namespace is required for ServiceAccount, and not allowed for any other kind'
    demand((kind === 'ServiceAccount') === (namespace !== undefined), path, placed, problems)
  }
}
