import { highFinding, type Finding } from '../finding.ts'
import { describeIdentity, sameIdentity, type Requester } from '../identity.ts'
import { canonicalIdentity, governs } from '../policy/select.ts'
import { describePolicy, type GrantTerms, type PermissionSet, type Policy } from '../policy/policy.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import { selects } from '../selector.ts'
import { formatInstant, type Instant, type Millis } from '../time.ts'
import type { LiveGrant, World } from '../world.ts'
import { approvalsNeeded } from './approval.ts'
import { emergencyTerms, reviewBreakGlass } from './break-glass.ts'
import { describeGrant, isForCluster, reviewClusterGrant } from './cluster-grant.ts'
import {
  dependsOnTime,
  lesser,
  reviewGrantConditions,
  type ConditionReason,
  type ConditionVerdict,
} from './conditions.ts'
import { reviewCredential } from './credential.ts'
import type { GrantSpec } from './grant.ts'
import { resolvePermissions } from './permissions.ts'
import { reviewRequester } from './requesters.ts'
import { reviewUntil } from './until.ts'
import { reviewWaivers } from './waivers.ts'
import { windowOf, type Moment } from './window.ts'

/** A grant as the judge sees it: what is asked, where, and by whom. */
export interface GrantRequest {
  /** null: not created yet. */
  readonly uid: string | null
  /** Empty: it is for the whole cluster. */
  readonly namespace: string
  readonly name: string
  readonly spec: GrantSpec
  /** null: not known, which no policy lets ask. */
  readonly requester: Requester | null
  /** null: it is being created now. In whole seconds, as the API server keeps it. */
  readonly createdAt: Instant | null
}

export type GrantDecision =
  | {
      readonly allowed: true
      readonly policy: Policy
      readonly sets: readonly PermissionSet[]
      /** What the subject will be able to do: the narrower rules, or the whole of the named sets. */
      readonly rules: readonly PolicyRule[]
      /** From when it counts, and when it is over, if it is issued at the instant of the decision. */
      readonly from: Instant
      readonly notAfter: Instant
      /** How many must approve it before it is issued. */
      readonly required: number
      /** What the conditions make of it, and those that do not hold. */
      readonly outcome: 'Allow' | 'StepUp' | 'Constrain'
      readonly reasons: readonly ConditionReason[]
    }
  | { readonly allowed: false; readonly findings: readonly Finding[] }

/** Checks that fail because something is not there, or not there yet: the answer may change without a new grant. */
export const unsettledChecks: ReadonlySet<string> = new Set(['policy-missing', 'subject-missing', 'namespace-missing'])

/**
 * Whether a policy gives what a grant asks for, if it were issued at `now`. Every reason against it is reported. The
 * same function answers the webhook, the controller right before it issues, and `lapse check`. Where clocks differ, `now` is
 * the latest that it may be, and `issueFrom` the earliest: a duration counts from that one.
 */
export function decideGrant(
  request: GrantRequest,
  world: World,
  now: Instant,
  issueFrom: Instant = now,
): GrantDecision {
  const policy = world.policy(request.spec.policy.name)
  if (policy === null) return deny(missingPolicy(request.spec.policy.name))
  const terms = policy.grants
  if (terms === null) return deny(noGrants(policy))
  const { spec } = request
  const emergency = emergencyTerms(spec, terms)
  const conditions = conditionsAt(request, policy, terms, world, { now, issueFrom })
  const asked = resolvePermissions(spec, policy, world, conditions.permissions)
  const limits = {
    longest: emergency?.maxDuration ?? terms.maxDuration,
    cut: conditions.maxDuration,
    closes: now < policy.change.expiresAt ? policy.change.expiresAt : Infinity, // one that is over is a reason of its own
  }
  const window = windowOf(spec, terms, limits, { now, issueFrom })
  const approvals = approvalsNeeded(terms, spec, conditions.stepsUp, policy)
  const isAdmitted = wasAdmittedUnder(policy, request, world, creationPrecision)
  const findings = [
    ...reviewPolicyState(spec, policy, now),
    ...reviewPlace(request, policy, world),
    ...(isForCluster(request) ? reviewClusterGrant(spec, asked.sets, policy, world) : []),
    ...reviewRequester(spec, request.requester, (emergency ?? terms).requesters, policy, isAdmitted),
    ...window.findings,
    ...asked.findings,
    ...reviewWaivers(spec, request.namespace, policy, terms),
    ...reviewUntil(spec, policy, terms),
    ...(window.findings.length > 0 ? [] : reviewCredential(request, world, window.notAfter, now)),
    ...reviewBreakGlass(spec, policy, terms, world, now),
    ...reviewCount(request, policy, terms, world),
    ...approvals.findings,
    ...conditions.findings,
  ]
  if (findings.length > 0) return { allowed: false, findings }
  const { required } = approvals
  const { sets, rules } = asked
  const { from, notAfter } = window
  return { allowed: true, policy, sets, rules, from, notAfter, required, ...outcomeOf(conditions, required) }
}

/** Where clocks differ, what depends on the time must hold by all of them. */
function conditionsAt(
  request: GrantRequest,
  policy: Policy,
  terms: GrantTerms,
  world: World,
  { now, issueFrom }: Moment,
): ConditionVerdict {
  const asked = whenAsked(policy, request, world)
  const verdict = reviewGrantConditions(request, policy, terms, world, now, asked)
  if (issueFrom === now || !dependsOnTime(terms)) return verdict
  return lesser(verdict, reviewGrantConditions(request, policy, terms, world, issueFrom, asked))
}

function outcomeOf(
  { reasons, maxDuration, permissions }: ConditionVerdict,
  required: number,
): Pick<Extract<GrantDecision, { allowed: true }>, 'outcome' | 'reasons'> {
  if (maxDuration !== null || permissions !== null) return { outcome: 'Constrain', reasons }
  return { outcome: reasons.length > 0 && required > 0 ? 'StepUp' : 'Allow', reasons }
}

function reviewPolicyState(spec: GrantSpec, policy: Policy, now: Instant): readonly Finding[] {
  const findings: Finding[] = []
  if (now >= policy.change.expiresAt)
    findings.push(
      highFinding(
        'policy-expired',
        'spec.policy',
        `policy ${describePolicy(policy)} was due for review at ${formatInstant(policy.change.expiresAt)} and issues nothing since`,
        `ask ${policy.owner.name} for a reviewed version`,
      ),
    )
  if (spec.policy.version !== null && spec.policy.version !== policy.version)
    findings.push(
      highFinding(
        'policy-version',
        'spec.policy.version',
        `version ${spec.policy.version} is not active; active is ${policy.version}`,
        `check the request against ${describePolicy(policy)} and name that version, or none`,
      ),
    )
  return findings
}

function reviewPlace(request: GrantRequest, policy: Policy, world: World): readonly Finding[] {
  const findings: Finding[] = []
  const subject = canonicalIdentity(request.spec.subject)
  if (subject.kind === 'ServiceAccount' && world.serviceAccount(subject.namespace, subject.name) === null)
    findings.push(
      highFinding(
        'subject-missing',
        'spec.subject',
        `there is no ${describeIdentity(subject)}`,
        'create the ServiceAccount first',
      ),
    )
  else if (!governs(policy, subject, world))
    findings.push(
      highFinding(
        'subject-not-governed',
        'spec.subject',
        `policy ${describePolicy(policy)} does not govern ${describeIdentity(subject)}`,
        'name a subject that the policy selects',
      ),
    )
  const suspension = world.suspension(subject)
  if (suspension !== null)
    findings.push(
      highFinding(
        'subject-suspended',
        'spec.subject',
        `${describeIdentity(subject)} is suspended: ${suspension.reason}`,
        `whoever may lift it: kubectl delete nhisuspension ${suspension.name}`,
      ),
    )
  return [...findings, ...(isForCluster(request) ? [] : reviewNamespace(request, policy, world))]
}

function reviewNamespace({ namespace }: GrantRequest, policy: Policy, world: World): readonly Finding[] {
  const labels = world.namespaceLabels(namespace)
  if (labels === null)
    return [
      highFinding('namespace-missing', 'metadata.namespace', `there is no namespace ${namespace}`, 'create it first'),
    ]
  if (selects(policy.scope, labels)) return []
  return [
    highFinding(
      'namespace-out-of-scope',
      'metadata.namespace',
      `policy ${describePolicy(policy)} issues no grants in namespace ${namespace}`,
      "create the grant in a namespace that the policy's scope selects",
    ),
  ]
}

function whenAsked(policy: Policy, request: GrantRequest, world: World): Parameters<typeof reviewGrantConditions>[5] {
  if (request.createdAt === null) return 'now'
  return wasAdmittedUnder(policy, request, world, 0) ? 'under this version' : 'under another version'
}

/** Creation times have whole seconds: a grant was created up to this much later than it says. */
const creationPrecision = 999

/** Whether the webhook asked this very version when it let the grant pass; a grant that is being created is asked about now. */
function wasAdmittedUnder(policy: Policy, { createdAt }: GrantRequest, world: World, leeway: Millis): boolean {
  if (createdAt === null) return true
  const revision = world.revisions(policy.name).find((known) => known.version === policy.version)
  const appliedAt = revision?.appliedAt ?? null
  return appliedAt !== null && createdAt + leeway >= appliedAt
}

function reviewCount(request: GrantRequest, policy: Policy, terms: GrantTerms, world: World): readonly Finding[] {
  const others = world
    .liveGrants(policy.name, request.spec.subject)
    .filter((grant) => !isOf(grant, request) && sameIdentity(grant.subject, request.spec.subject))
  if (others.length < terms.maxActivePerSubject) return []
  const names = others.map(describeGrant).sort()
  const message = `${describeIdentity(request.spec.subject)} already has ${others.length} of at most ${terms.maxActivePerSubject} grants: ${names.join(', ')}`
  return [highFinding('too-many-active', 'spec.subject', message, 'wait for one to end, or revoke it')]
}

/** A grant without UID comes from a file; there its name tells it from others. */
function isOf(grant: LiveGrant, request: GrantRequest): boolean {
  return request.uid === null || grant.uid === ''
    ? grant.namespace === request.namespace && grant.name === request.name
    : grant.uid === request.uid
}

function missingPolicy(name: string): Finding {
  return highFinding(
    'policy-missing',
    'spec.policy.name',
    `there is no policy ${name}`,
    'name an AccessPolicy that exists: kubectl get nhip',
  )
}

function noGrants(policy: Policy): Finding {
  return highFinding(
    'policy-grants-nothing',
    'spec.policy.name',
    `policy ${describePolicy(policy)} issues no grants`,
    'name one that has spec.grants',
  )
}

function deny(reason: Finding): GrantDecision {
  return { allowed: false, findings: [reason] }
}
