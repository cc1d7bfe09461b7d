import type { ConditionBudget } from '../cel/budget.ts'
import type { Finding } from '../finding.ts'
import { usernameOf, type Identity } from '../identity.ts'
import {
  conditionFinding,
  identityFact,
  judgeConditions,
  namespaceFact,
  type Facts,
} from '../policy/judge-conditions.ts'
import { describePolicy, type Policy } from '../policy/policy.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { LiveGrant, World } from '../world.ts'
import { isInForce, stands } from './waivers.ts'
import type { Workload } from './workload.ts'

/** What conditions look at beside the pods: the object as it was sent, and by whom. */
export interface JudgedObject {
  readonly object: unknown
  /** null: it is new, or what was before is not known. */
  readonly oldObject: unknown
  /** null: nobody asks; what is stored is judged, or a file. */
  readonly request: {
    readonly operation: string
    readonly userInfo: { readonly username: string; readonly groups: readonly string[] }
    readonly namespace: string
    readonly name: string
    readonly kind: { readonly group: string; readonly kind: string }
  } | null
  /** For all Pods of the object together. */
  readonly budget: ConditionBudget
}

/**
 * Conditions of the policy that do not hold. Where nobody asks, one that looks at the request is put on record as not
 * judged: it is judged when somebody does. `judged` null: the object is not known, so no condition holds.
 */
export function reviewConditions(
  workload: Workload,
  identity: Identity,
  policy: Policy,
  world: World,
  now: Instant,
  judged: JudgedObject | null,
): readonly Finding[] {
  const conditions = policy.workloads?.conditions ?? []
  if (conditions.length === 0) return []
  if (judged === null)
    return [conditionFinding('no condition could be judged: the object is not known', `of ${describePolicy(policy)}`)]
  const asksNobody = ({ condition }: (typeof conditions)[number]): boolean =>
    judged.request === null && condition.uses.has('request')
  const facts = factsOf(workload, identity, world, now, judged)
  return [
    ...judgeConditions(
      conditions.filter((each) => !asksNobody(each)),
      facts,
      policy,
      judged.budget,
    ).map(({ finding }) => finding),
    ...conditions.filter(asksNobody).map(({ name }) => notAsked(name, policy)),
  ]
}

function factsOf(workload: Workload, identity: Identity, world: World, now: Instant, judged: JudgedObject): Facts {
  const namespace = identity.kind === 'ServiceAccount' ? identity.namespace : ''
  const { labels, annotations, pod } = workload
  return {
    object: () => judged.object,
    oldObject: () => judged.oldObject,
    pod: () => ({ metadata: { labels, annotations }, spec: pod }),
    request: () => judged.request ?? undefined,
    namespaceObject: () => namespaceFact(namespace, world),
    identity: () => identityFact(identity),
    grants: () =>
      world
        .liveGrantsOf(usernameOf(identity) ?? '')
        .filter((grant) => isInForce(grant, now) && stands(grant, world))
        .map(grantFact),
  }
}

function grantFact({ namespace, name, policy, notAfter, waive }: LiveGrant): object {
  return { namespace, name, policy, waive, ...(notAfter !== null && { notAfter: formatInstant(notAfter) }) }
}

function notAsked(name: string, policy: Policy): Finding {
  const message = `condition ${name} looks at the request, and is judged at admission only`
  return { ...conditionFinding(message, `condition ${name} of ${describePolicy(policy)}`), severity: 'Info' }
}
