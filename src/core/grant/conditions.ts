import { ConditionBudget } from '../cel/budget.ts'
import type { Finding } from '../finding.ts'
import type { Requester } from '../identity.ts'
import {
  conditionFinding,
  identityFact,
  judgeConditions,
  namespaceFact,
  type Facts,
} from '../policy/judge-conditions.ts'
import { describePolicy, type GrantTerms, type Policy, type PolicyCondition } from '../policy/policy.ts'
import { canonicalIdentity } from '../policy/select.ts'
import { formatDuration, formatInstant, type Instant } from '../time.ts'
import type { World } from '../world.ts'
import type { GrantSpec } from './grant.ts'

/** What is looked at of a grant, and who asks for it: null where that is not known. */
interface AskedGrant {
  readonly namespace: string
  readonly name: string
  readonly spec: GrantSpec
  readonly requester: Requester | null
}

/**
 * Conditions of the policy that do not hold now. Who asks is known in full at admission only: a condition that looks at
 * `request` stands on the admission that the grant has passed, and only if that asked the version that is active now.
 */
export function reviewGrantConditions(
  request: AskedGrant,
  policy: Policy,
  terms: GrantTerms,
  world: World,
  now: Instant,
  passed: 'now' | 'under this version' | 'under another version',
): readonly Finding[] {
  if (terms.conditions.length === 0) return []
  const judged = terms.conditions.filter((each) => passed === 'now' || !looksAtRequest(each))
  const findings = judgeConditions(judged, factsOf(request, policy, world, now), policy, new ConditionBudget())
  if (passed !== 'under another version') return findings
  return [...findings, ...terms.conditions.filter(looksAtRequest).map(({ name }) => neverAsked(name, policy))]
}

function looksAtRequest({ condition }: PolicyCondition): boolean {
  return condition.uses.has('request')
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
  const { permissions, rules, waive, reason } = rest
  return {
    policy: { name: policy.name, ...(policy.version !== null && { version: policy.version }) },
    subject,
    permissions,
    rules,
    waive,
    reason,
    ...(ticket !== null && { ticket }),
    ...(requestedBy !== null && { requestedBy }),
    ...(notBefore !== null && { notBefore: formatInstant(notBefore) }),
    ...(end.kind === 'After' && { duration: formatDuration(end.duration) }),
    ...(end.kind === 'At' && { notAfter: formatInstant(end.notAfter) }),
  }
}

function neverAsked(name: string, policy: Policy): Finding {
  const message = `condition ${name} could not be judged: it looks at the request, which was made under another version`
  return conditionFinding(message, `create the grant again under ${describePolicy(policy)}`)
}
