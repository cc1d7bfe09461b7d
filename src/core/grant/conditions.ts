import { ConditionBudget } from '../cel/budget.ts'
import type { Finding } from '../finding.ts'
import type { Requester } from '../identity.ts'
import {
  conditionFinding,
  identityFact,
  judgeConditions,
  namespaceFact,
  type Breach,
  type Facts,
} from '../policy/judge-conditions.ts'
import { describePolicy, type GrantCondition, type GrantTerms, type Policy } from '../policy/policy.ts'
import { canonicalIdentity } from '../policy/select.ts'
import { formatDuration, formatInstant, type Instant, type Millis } from '../time.ts'
import type { World } from '../world.ts'
import type { GrantSpec } from './grant.ts'

/** What is looked at of a grant, and who asks for it: null where that is not known. */
export interface AskedGrant {
  readonly namespace: string
  readonly name: string
  readonly spec: GrantSpec
  readonly requester: Requester | null
}

/** What the conditions of a policy make of a grant. */
export interface ConditionVerdict {
  /** Those that refuse it. */
  readonly findings: readonly Finding[]
  /** Those that do not hold, and ask for an approval or for less. */
  readonly reasons: readonly ConditionReason[]
  readonly stepsUp: boolean
  /** The longest that it may last; null: they do not say. */
  readonly maxDuration: Millis | null
  /** The only sets that may be granted; null: they do not say. */
  readonly permissions: readonly string[] | null
}

export interface ConditionReason {
  readonly condition: string
  readonly message: string
}

/**
 * What conditions say now. Who asks is known in full at admission only: a condition that looks at `request` stands on the
 * admission that the grant has passed, and only if that asked the version that is active now. One that steps up or constrains is taken
 * not to hold where that is not known.
 */
export function reviewGrantConditions(
  request: AskedGrant,
  policy: Policy,
  terms: GrantTerms,
  world: World,
  now: Instant,
  passed: 'now' | 'under this version' | 'under another version',
  budget: ConditionBudget = new ConditionBudget(),
): ConditionVerdict {
  const isAsked = (each: GrantCondition): boolean =>
    passed === 'now' || !looksAtRequest(each) || (passed === 'under this version' && each.otherwise.kind !== 'Deny')
  const judged = terms.conditions.filter(isAsked)
  const breaches = judgeConditions(judged, factsOf(request, policy, world, now), policy, budget)
  const never =
    passed === 'under another version'
      ? terms.conditions.filter(looksAtRequest).map((condition) => neverAsked(condition, policy))
      : []
  return verdictOf([...breaches, ...never])
}

/** What holds by two clocks: whatever one of them takes away is not given. */
export function lesser(a: ConditionVerdict, b: ConditionVerdict): ConditionVerdict {
  const durations = [a.maxDuration, b.maxDuration].filter((each) => each !== null)
  const kept = a.permissions === null || b.permissions === null ? null : a.permissions
  return {
    findings: [
      ...a.findings,
      ...b.findings.filter(({ message }) => a.findings.every((each) => each.message !== message)),
    ],
    reasons: [
      ...a.reasons,
      ...b.reasons.filter((reason) => a.reasons.every((each) => each.condition !== reason.condition)),
    ],
    stepsUp: a.stepsUp || b.stepsUp,
    maxDuration: durations.length === 0 ? null : Math.min(...durations),
    permissions: kept?.filter((name) => b.permissions?.includes(name)) ?? a.permissions ?? b.permissions,
  }
}

function verdictOf(breaches: readonly Breach<GrantCondition>[]): ConditionVerdict {
  const refusing = breaches.filter(({ condition }) => condition.otherwise.kind === 'Deny')
  const others = breaches.filter(({ condition }) => condition.otherwise.kind !== 'Deny')
  const limits = others.flatMap(({ condition: { otherwise } }) => (otherwise.kind === 'Constrain' ? [otherwise] : []))
  const durations = limits.flatMap(({ maxDuration }) => (maxDuration === null ? [] : [maxDuration]))
  const allowed = limits.flatMap(({ permissions }) => (permissions === null ? [] : [permissions]))
  return {
    findings: refusing.map(({ finding }) => finding),
    reasons: others.map(({ condition, finding }) => ({ condition: condition.name, message: finding.message })),
    stepsUp: others.some(({ condition }) => condition.otherwise.kind === 'StepUp'),
    maxDuration: durations.length === 0 ? null : Math.min(...durations),
    permissions: allowed.length === 0 ? null : allowed.reduce((a, b) => a.filter((name) => b.includes(name))),
  }
}

function looksAtRequest({ condition }: GrantCondition): boolean {
  return condition.uses.has('request')
}

/** Whether what the conditions say can change by the mere passing of time. */
export function dependsOnTime({ conditions }: GrantTerms): boolean {
  return conditions.some(({ condition }) => condition.uses.has('now'))
}

function factsOf(request: AskedGrant, policy: Policy, world: World, now: Instant): Facts {
  const { namespace, name, spec, requester } = request
  return {
    grant: () => ({ metadata: { namespace, name }, spec: specFact(spec) }),
    request: () => (requester?.groups === null || requester === null ? undefined : { userInfo: requester }),
    namespaceObject: () => namespaceFact(namespace, world),
    subject: () => identityFact(canonicalIdentity(spec.subject)),
    now: () => new Date(now),
    policy: () => ({ name: policy.name, version: policy.version }),
  }
}

/** In the words of the API; what was omitted is not there, but lists are. */
function specFact({ policy, subject, end, notBefore, ticket, requestedBy, ...rest }: GrantSpec): object {
  const { permissions, rules, waive, reason, until, credential, breakGlass } = rest
  return {
    policy: { name: policy.name, ...(policy.version !== null && { version: policy.version }) },
    subject,
    permissions,
    rules,
    waive,
    reason,
    ...(until !== null && { until: { apiVersion: until.apiVersion, kind: until.kind, name: until.name } }),
    ...(credential !== null && { credential }),
    ...(breakGlass !== null && { breakGlass }),
    ...(ticket !== null && { ticket }),
    ...(requestedBy !== null && { requestedBy }),
    ...(notBefore !== null && { notBefore: formatInstant(notBefore) }),
    ...(end.kind === 'After' && { duration: formatDuration(end.duration) }),
    ...(end.kind === 'At' && { notAfter: formatInstant(end.notAfter) }),
  }
}

function neverAsked(condition: GrantCondition, policy: Policy): Breach<GrantCondition> {
  const message = `condition ${condition.name} could not be judged: it looks at the request, which was made under another version`
  return { condition, finding: conditionFinding(message, `create the grant again under ${describePolicy(policy)}`) }
}
