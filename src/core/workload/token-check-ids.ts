/** Checks of tokens and secrets that a policy lists by id, in the order of the findings. */
export const tokenCheckIds = ['default-service-account', 'needless-token', 'legacy-token', 'secret-in-env'] as const

export type TokenCheckId = (typeof tokenCheckIds)[number]
