/** Units that one expression may cost. About 0.3 µs each: a Pod with thousands of entries fits, n⁸ does not. */
export const expressionBudget = 200_000

/** Units that all expressions of one policy may cost together for one object, whatever Pods it has. */
export const policyBudget = 400_000

/** Units that the expressions of all policies may cost together for one object. */
export const objectBudget = 4 * policyBudget

/** What the conditions that one object is judged by may cost yet. It is used up by whoever judges. */
export class ConditionBudget {
  readonly #spent = new Map<string, number>()
  #left = objectBudget

  leftFor(policy: string): number {
    return Math.min(this.#left, policyBudget - (this.#spent.get(policy) ?? 0))
  }

  spend(policy: string, units: number): void {
    this.#spent.set(policy, (this.#spent.get(policy) ?? 0) + units)
    this.#left -= units
  }
}
