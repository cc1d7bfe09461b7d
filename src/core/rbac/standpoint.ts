import type { Identity } from '../identity.ts'
import type { AuthorizeOptions } from './authorize.ts'
import type { HeldCapability } from './held-capabilities.ts'
import type { RbacView } from './objects.ts'
import type { RbacUser } from './subject.ts'

/** An identity, and its access. */
export interface Actor {
  readonly identity: Identity
  /** null: what the cluster's own view says; otherwise that and what the identity has handed itself. */
  readonly widened: RbacView | null
}

/** Something that an actor can do, by which it can act as each of the others from then on. */
export interface Turn {
  readonly by: HeldCapability
  readonly to: readonly Actor[]
}

/** An actor, and where everything about it is looked up. */
export interface Standpoint {
  readonly identity: Identity
  readonly user: RbacUser
  /** Where the actor's own access is looked up. */
  readonly view: RbacView
  /** Where that of everybody else is. */
  readonly cluster: RbacView
  readonly options: AuthorizeOptions
}
