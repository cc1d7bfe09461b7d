import { marks } from '../api/v1alpha1/objects.ts'
import type { ClusterClient, MetadataOnly } from '../cluster/ports.ts'
import { resources } from '../cluster/resources.ts'
import { parseInstant } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { GrantCarrier } from './nhi-grant/carrier.ts'
import type { EvidenceRecorder } from './nhi-grant/evidence-recorder.ts'
import { deleteExactly } from './delete-exactly.ts'

export interface OverdueParts {
  readonly client: Pick<ClusterClient, 'delete'>
  /** Those that carry grants. */
  readonly bindings: readonly GrantCarrier[]
  readonly evidence: Pick<EvidenceRecorder, 'ofOverdue'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** Whether the process is about to end, and no removal may be begun any more. */
  readonly isStopping: () => boolean
}

/** How many removals are under way at a time. */
const lanes = 32

/**
 * Removes the bindings whose end, as it is written on them, has come while nobody led: for a start, before it is known which
 * grants there are. Proof and status follow when the grant is looked at. What fails here is done then.
 */
export async function endOverdue({ client, bindings, evidence, clock, log, isStopping }: OverdueParts): Promise<void> {
  const overdue = bindings.filter((binding) => hasEnded(binding, clock))
  const rest = overdue.values()
  let failed = 0
  const lane = async (): Promise<void> => {
    for (const binding of rest) {
      if (isStopping()) return
      const { namespace = '', name, uid } = binding.metadata
      const type = namespace === '' ? resources.clusterRoleBindings : resources.roleBindings
      evidence.ofOverdue(binding)
      try {
        await deleteExactly(client, type, { namespace, name }, uid)
      } catch (error) {
        failed += 1
        log.warn('an overdue binding could not be removed yet', { namespace, name, error })
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  if (overdue.length > 0) log.info('overdue bindings removed', { overdue: overdue.length, failed })
}

function hasEnded({ metadata }: MetadataOnly, clock: Pick<Clock, 'now'>): boolean {
  const end = parseInstant(metadata.annotations?.[marks.notAfter] ?? '')
  return end !== null && end <= clock.now()
}
