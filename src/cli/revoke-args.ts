import type { Millis } from '../core/time.ts'
import type { ClusterArgs } from './cluster-options.ts'

export interface RevokeArgs {
  readonly cluster: ClusterArgs
  readonly reason: string
  /** How long to wait until the access is gone. */
  readonly wait: Millis
  /** Whether the grant is a ClusterNHIGrant; omitted: no. */
  readonly isWide?: boolean
}
