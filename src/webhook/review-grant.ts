import { isDeepStrictEqual } from 'node:util'
import { isTracked } from '../api/v1alpha1/gitops.ts'
import { nhiGrantSpecSchema } from '../api/v1alpha1/nhi-grant.schema.ts'
import { parseNHIGrant, type ParsedGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import { isObject, readBySchema, type JsonObject } from '../api/validate.ts'
import { highFinding, type Finding } from '../core/finding.ts'
import { decideGrant, unsettledChecks, type GrantRequest } from '../core/grant/decide.ts'
import { beyondPolicies } from '../core/policy/explain.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import { compareVersions } from '../core/policy/version.ts'
import type { Problem } from '../core/problem.ts'
import type { World } from '../core/world.ts'
import type { AdmissionRequest } from './admission-review.ts'
import { allowed, allowedWith, refused, warningOf, type Answer, type WorldReference } from './answer.ts'
import { reviewEmergencyDeletion, reviewEmergencyOwners } from './review-emergency.ts'
import { describeObject, refuseBy, refuseInvalid, type Review } from './review.ts'

export const reviewGrant: Review = (request, snapshot) => {
  switch (request.operation) {
    case 'CREATE':
      return reviewNewGrant(request, snapshot)
    case 'UPDATE':
      return reviewChange(request)
    case 'DELETE':
      return reviewEmergencyDeletion(request)
    case 'CONNECT':
      return refused(403, `denied by lapse: nothing connects to ${describeObject(request)}`)
  }
}

const reviewNewGrant: Review = (request, { world, now }) => {
  const parsed = parseNHIGrant(request.object)
  if (!parsed.ok) return refuseInvalid(request, parsed.problems)
  const asked = grantRequestOf(request, parsed.value)
  const forged = reviewRequestedBy(request, parsed.value)
  const decision = decideGrant(asked, world, now)
  const findings = [...forged, ...reviewEmergencyOwners(request), ...(decision.allowed ? [] : decision.findings)]
  if (findings.length > 0) return refuse(request, asked, findings, world)
  const warnings = renewsItself(request, parsed.value) ? [immortality] : []
  return warnings.length === 0 ? allowed : allowedWith({ warnings })
}

function grantRequestOf({ namespace, user }: AdmissionRequest, { name, spec }: ParsedGrant): GrantRequest {
  return { uid: null, namespace, name, spec, requester: user, createdAt: null }
}

/** The mutating webhook stamps it; another one may have written over it. */
function reviewRequestedBy({ user }: AdmissionRequest, { spec }: ParsedGrant): readonly Finding[] {
  if (spec.requestedBy === user.username) return []
  const found = spec.requestedBy === null ? 'but is not there' : `not ${spec.requestedBy}`
  const message = `must be ${user.username}, who creates the grant, ${found}`
  const remedy = 'leave it to the mutating webhook of lapse, which writes it'
  return [highFinding('requester-forged', 'spec.requestedBy', message, remedy)]
}

function refuse(request: AdmissionRequest, asked: GrantRequest, findings: readonly Finding[], world: World): Answer {
  const policy = world.policy(asked.spec.policy.name)
  const why = policy === null ? 'names a policy that does not exist' : beyondPolicies([policy])
  const owners = policy === null ? [] : [policy.owner]
  return refuseBy(request, why, findings, { owners, unsettled: unsettledIn(asked, findings, world) })
}

/** What may still be on its way to us: objects that were created just before the grant, or a newer policy version. */
function unsettledIn(
  { namespace, spec }: GrantRequest,
  findings: readonly Finding[],
  world: World,
): readonly WorldReference[] {
  const subject = canonicalIdentity(spec.subject)
  const references: Readonly<Record<string, WorldReference>> = {
    'policy-missing': { kind: 'AccessPolicy', namespace: '', name: spec.policy.name },
    'namespace-missing': { kind: 'Namespace', namespace: '', name: namespace },
    ...(subject.kind === 'ServiceAccount' && {
      'subject-missing': { kind: 'ServiceAccount', namespace: subject.namespace, name: subject.name },
    }),
  }
  const missing = findings
    .filter(({ check }) => unsettledChecks.has(check))
    .flatMap(({ check }) => references[check] ?? [])
  const active = world.policy(spec.policy.name)?.version ?? null
  const { version } = spec.policy
  const awaitsNewer = active !== null && version !== null && compareVersions(version, active) > 0
  return awaitsNewer ? [...missing, { kind: 'AccessPolicy', namespace: '', name: spec.policy.name }] : missing
}

const immortality = warningOf(
  'a GitOps tool tracks this grant: once it is gone it is created again, and its duration starts anew; give notAfter instead of a duration',
)

function renewsItself({ object }: AdmissionRequest, { spec }: ParsedGrant): boolean {
  if (spec.end.kind === 'At') return false
  const metadata = object?.['metadata']
  if (!isObject(metadata)) return false
  const { labels, annotations } = metadata
  return isTracked({ ...(isObject(labels) && { labels }), ...(isObject(annotations) && { annotations }) })
}

/** Nothing but a revocation may be added to a grant, once, by anyone who may update it: also to one that no longer parses. */
function reviewChange(request: AdmissionRequest): Answer {
  const before = specOf(request.oldObject)
  const after = specOf(request.object)
  const owners = reviewEmergencyOwners(request)
  if (owners.length === 0 && isDeepStrictEqual(before, after)) return allowed
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .sort()
  const fixed = changed.filter((field) => field !== 'revoke' || isSet(before['revoke']))
  const findings = [...owners, ...fixed.map(immutable)]
  if (findings.length > 0) return refuseBy(request, 'was changed', findings)
  const problems = revokeProblems(after['revoke'])
  return problems.length === 0 ? allowed : refuseInvalid(request, problems)
}

function immutable(field: string): Finding {
  const [message, remedy] =
    field === 'revoke'
      ? ['may be set once and never taken back', 'leave it as it is']
      : ['is immutable', 'create a new grant, and end this one by spec.revoke']
  return highFinding('grant-immutable', `spec.${field}`, message, remedy)
}

function revokeProblems(revoke: unknown): readonly Problem[] {
  const problems: Problem[] = []
  if (isSet(revoke)) readBySchema(nhiGrantSpecSchema.properties.revoke, revoke, 'spec.revoke', problems)
  return problems
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}

function specOf(object: JsonObject | null): JsonObject {
  const spec = object?.['spec']
  return isObject(spec) ? spec : {}
}
