import type { Judged } from '../cel/condition.ts'
import type { ConditionBudget } from '../cel/budget.ts'
import { highFinding, type Finding } from '../finding.ts'
import { usernameOf, serviceAccountGroups, type Identity } from '../identity.ts'
import type { World } from '../world.ts'
import { describePolicy, type Policy, type PolicyCondition } from './policy.ts'

/** What conditions look at, each made when a condition asks for it. undefined: not known here. */
export type Facts = Readonly<Record<string, () => unknown>>

/** A condition that does not hold. */
export interface Breach<C extends PolicyCondition> {
  readonly condition: C
  readonly finding: Finding
}

/**
 * The conditions that do not hold. They share the budget, in the order in which they are written. One that
 * cannot be judged does not hold.
 */
export function judgeConditions<C extends PolicyCondition>(
  conditions: readonly C[],
  facts: Facts,
  policy: Pick<Policy, 'name' | 'version'>,
  budget: ConditionBudget,
): readonly Breach<C>[] {
  const known = new Map<string, unknown>()
  const valueOf = (name: string): unknown => {
    if (!known.has(name)) known.set(name, facts[name]?.())
    return known.get(name)
  }
  return conditions.flatMap((written) => {
    const variables = Object.fromEntries([...written.condition.uses].map((name) => [name, valueOf(name)]))
    const judged = written.condition.evaluate(variables, budget.leftFor(policy.name))
    budget.spend(policy.name, judged.spent)
    return judged.ok && judged.value ? [] : [{ condition: written, finding: breach(written, judged, policy) }]
  })
}

function breach({ name, message }: PolicyCondition, judged: Judged, policy: Pick<Policy, 'name' | 'version'>): Finding {
  const remedy = `condition ${name} of ${describePolicy(policy)}`
  if (!judged.ok) return conditionFinding(`condition ${name} could not be judged: ${judged.error}`, remedy)
  return conditionFinding(message ?? `condition ${name} does not hold`, `see ${remedy}`)
}

export function conditionFinding(message: string, remedy: string): Finding {
  return highFinding('condition', '', message, remedy)
}

/** An identity as conditions see it. The groups of a User are known to the API server only, and so are not there. */
export function identityFact(identity: Identity): object {
  const { kind, name } = identity
  if (kind !== 'ServiceAccount') return { kind, name, username: usernameOf(identity) ?? undefined }
  const { namespace } = identity
  return { kind, namespace, name, username: usernameOf(identity) ?? undefined, groups: serviceAccountGroups(namespace) }
}

/** undefined: there is no such namespace. */
export function namespaceFact(name: string, world: World): object | undefined {
  const labels = world.namespaceLabels(name)
  return labels === null ? undefined : { metadata: { name, labels } }
}
