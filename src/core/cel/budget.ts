/** Units that one expression may cost. About 0.3 µs each: a Pod with thousands of entries fits, n⁸ does not. */
export const expressionBudget = 200_000

/** Units that all expressions of one policy may cost together for one object. */
export const policyBudget = 400_000
