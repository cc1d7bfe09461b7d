/** What somebody may be asked about. `elsewhere` is another namespace than that of the world; a token is in a Secret, for whoever reads it. */
export const rights = [
  'patch deployments',
  'get deployments',
  'get pods',
  'get secrets',
  'patch deployments elsewhere',
  'get deployments elsewhere',
  'have a token',
] as const
export type Right = (typeof rights)[number]

/**
 * What the conditions of the policy look at, in the namespace: with an incident there is nothing to be had, in a freeze
 * nothing without an approval, and in a rush nothing for longer than `hurried`.
 */
export const signs = ['incident', 'freeze', 'rush'] as const
export type Sign = (typeof signs)[number]

/** Milliseconds. */
export const hurried = 2_000

/** Instants are those of the machine that the tests run on, in milliseconds. */
export type Instant = number

/** A grant as it is asked for. */
export interface AskedGrant {
  readonly uid: string
  readonly name: string
  readonly subject: string
  /** Who gets what it gives: its subject, or an identity of its own. */
  readonly holder: string
  /** What it gives while it is Active. */
  readonly rights: readonly Right[]
  /** false: it asks for what it may not have, and must never be issued. */
  readonly isProper: boolean
  /** It is for the whole cluster: no namespace, and no sign in one, concerns it. */
  readonly isWide: boolean
  /** It ends with the task, and is not issued without one. */
  readonly hasTask: boolean
  /** It needs no approval. */
  readonly isEmergency: boolean
  readonly end: { readonly after: number } | { readonly at: Instant }
}

/** What the API server says of a grant. */
export interface GrantReading {
  readonly uid: string
  readonly state: string
  readonly notAfter: Instant | null
  /** When a token of its own dies by itself; null: it has none. */
  readonly tokenEnd: Instant | null
}

export interface ModelPolicy {
  readonly version: number
  /** Whether somebody must approve. */
  readonly needsApproval: boolean
  /** Whether it gives access to the whole cluster. */
  readonly isWide: boolean
}
