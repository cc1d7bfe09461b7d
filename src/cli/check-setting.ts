import type { Requester } from '../core/identity.ts'
import type { Instant } from '../core/time.ts'
import type { World } from '../core/world.ts'

/** Where all that is not in the files is known from: nowhere, or the cluster. */
export type WorldSource = 'files' | 'cluster'

/** What objects are judged in. */
export interface Setting {
  readonly world: World
  /** The world without the files: empty, or the cluster as it is. */
  readonly before: World
  readonly worldSource: WorldSource
  /** Who asks for grants; null: whoever the grant says. */
  readonly requester: Requester | null
  readonly now: Instant
}
