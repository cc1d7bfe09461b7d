import { highFinding, type Finding } from '../finding.ts'
import { describeIdentity, sameIdentity, usernameOf, type Requester } from '../identity.ts'
import { canonicalIdentity, governs } from '../policy/select.ts'
import {
  describePolicy,
  type GrantTerms,
  type PermissionSet,
  type Policy,
  type RequesterRule,
} from '../policy/policy.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import { selects } from '../selector.ts'
import { formatDuration, formatInstant, type Instant, type Millis } from '../time.ts'
import type { LiveGrant, World } from '../world.ts'
import { reviewGrantConditions } from './conditions.ts'
import type { GrantSpec } from './grant.ts'
import { resolvePermissions } from './permissions.ts'
import { reviewWaivers } from './waivers.ts'

/** A grant as the judge sees it: what is asked, where, and by whom. */
export interface GrantRequest {
  /** null: not created yet. */
  readonly uid: string | null
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
      /** When it is over if it is issued at the instant of the decision. */
      readonly notAfter: Instant
    }
  | { readonly allowed: false; readonly findings: readonly Finding[] }

/** Checks that fail because something is not there, or not there yet: the answer may change without a new grant. */
export const unsettledChecks: ReadonlySet<string> = new Set(['policy-missing', 'subject-missing', 'namespace-missing'])

/**
 * Whether a policy gives what a grant asks for, if it were issued at `now`. Every reason against it is reported. The
 * same function answers the webhook, the controller right before it issues, and `lapse check`.
 */
export function decideGrant(request: GrantRequest, world: World, now: Instant): GrantDecision {
  const policy = world.policy(request.spec.policy.name)
  if (policy === null) return deny(missingPolicy(request.spec.policy.name))
  const terms = policy.grants
  if (terms === null) return deny(noGrants(policy))
  const asked = resolvePermissions(request.spec, policy, world)
  const end = endOf(request.spec, terms, now)
  const findings = [
    ...reviewPolicyState(request.spec, policy, now),
    ...reviewPlace(request, policy, world),
    ...reviewRequester(request, policy, terms, world),
    ...end.findings,
    ...asked.findings,
    ...reviewWaivers(request.spec, request.namespace, policy, terms),
    ...reviewCount(request, policy, terms, world),
    ...reviewGrantConditions(request, policy, terms, world, now, whenAsked(policy, request, world)),
  ]
  if (findings.length > 0) return { allowed: false, findings }
  return { allowed: true, policy, sets: asked.sets, rules: asked.rules, notAfter: end.notAfter }
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
  const labels = world.namespaceLabels(request.namespace)
  if (labels === null)
    findings.push(
      highFinding(
        'namespace-missing',
        'metadata.namespace',
        `there is no namespace ${request.namespace}`,
        'create it first',
      ),
    )
  else if (!selects(policy.scope, labels))
    findings.push(
      highFinding(
        'namespace-out-of-scope',
        'metadata.namespace',
        `policy ${describePolicy(policy)} issues no grants in namespace ${request.namespace}`,
        "create the grant in a namespace that the policy's scope selects",
      ),
    )
  return findings
}

function reviewRequester(request: GrantRequest, policy: Policy, terms: GrantTerms, world: World): readonly Finding[] {
  const { requester } = request
  const isAdmitted = wasAdmittedUnder(policy, request, world, creationPrecision)
  if (requester !== null && terms.requesters.some((rule) => mayRequest(rule, requester, request.spec, isAdmitted)))
    return []
  const who = requester === null ? 'an unknown requester' : requester.username
  return [
    highFinding(
      'requester-not-allowed',
      'spec.requestedBy',
      `policy ${describePolicy(policy)} does not let ${who} ask for ${describeIdentity(request.spec.subject)}`,
      `allowed to ask: ${terms.requesters.map(describeRequester).join(', ')}`,
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

/**
 * The groups of a user who is no ServiceAccount are known only at admission. Where they are not known, a Group entry
 * stands on the admission that the grant has passed, and only if that asked the version that is active now: another one
 * may have let other groups ask.
 */
function mayRequest(rule: RequesterRule, requester: Requester, spec: GrantSpec, isAdmitted: boolean): boolean {
  switch (rule.kind) {
    case 'Self':
      return usernameOf(canonicalIdentity(spec.subject)) === requester.username
    case 'User':
    case 'ServiceAccount':
      return usernameOf(rule) === requester.username
    case 'Group':
      return requester.groups === null ? isAdmitted : requester.groups.includes(rule.name)
  }
}

function describeRequester(rule: RequesterRule): string {
  return rule.kind === 'Self' ? 'the subject itself' : describeIdentity(rule)
}

function endOf(
  spec: GrantSpec,
  terms: GrantTerms,
  now: Instant,
): { readonly notAfter: Instant; readonly findings: readonly Finding[] } {
  const start = Math.max(now, spec.notBefore ?? now)
  const notAfter = notAfterOf(spec, terms, start)
  const path = spec.end.kind === 'At' ? 'spec.notAfter' : 'spec.duration'
  if (notAfter <= start)
    return {
      notAfter,
      findings: [
        highFinding('window-passed', path, `the window ended at ${formatInstant(notAfter)}`, 'create a new grant'),
      ],
    }
  if (notAfter - start <= terms.maxDuration) return { notAfter, findings: [] }
  const asked = Math.ceil((notAfter - start) / 1_000) * 1_000
  const message = `${formatDuration(asked)} is longer than the ${formatDuration(terms.maxDuration)} that the policy allows`
  return {
    notAfter,
    findings: [highFinding('duration-too-long', path, message, `ask for at most ${formatDuration(terms.maxDuration)}`)],
  }
}

function notAfterOf(spec: GrantSpec, terms: GrantTerms, start: Instant): Instant {
  switch (spec.end.kind) {
    case 'At':
      return spec.end.notAfter
    case 'After':
      return start + spec.end.duration
    case 'Default':
      return start + terms.defaultDuration
  }
}

function reviewCount(request: GrantRequest, policy: Policy, terms: GrantTerms, world: World): readonly Finding[] {
  const others = world
    .liveGrants(policy.name)
    .filter((grant) => !isOf(grant, request) && sameIdentity(grant.subject, request.spec.subject))
  if (others.length < terms.maxActivePerSubject) return []
  const names = others.map((grant) => `${grant.namespace}/${grant.name}`).sort()
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
