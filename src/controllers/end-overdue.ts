import { marks } from '../api/v1alpha1/objects.ts'
import type { ClusterClient, MetadataOnly } from '../cluster/ports.ts'
import { resources } from '../cluster/resources.ts'
import { parseInstant } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { deleteExactly } from './delete-exactly.ts'

export interface OverdueParts {
  readonly client: Pick<ClusterClient, 'delete'>
  /** Those that carry grants. */
  readonly bindings: readonly MetadataOnly[]
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/** How many removals are under way at a time. */
const lanes = 32

/**
 * Removes the bindings whose end, as it is written on them, has come while nobody led: for a start, before it is known which
 * grants there are. Record, proof and status follow when the grant is looked at. What fails here is done then.
 */
export async function endOverdue({ client, bindings, clock, log }: OverdueParts): Promise<void> {
  const overdue = bindings.filter((binding) => isOver(binding, clock))
  const rest = overdue.values()
  const lane = async (): Promise<void> => {
    for (const { metadata } of rest) {
      const { namespace = '', name, uid } = metadata
      const type = namespace === '' ? resources.clusterRoleBindings : resources.roleBindings
      try {
        await deleteExactly(client, type, { namespace, name }, uid)
      } catch (error) {
        log.warn('an overdue binding could not be removed yet', { namespace, name, error })
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  if (overdue.length > 0) log.info('overdue bindings were looked after', { count: overdue.length })
}

function isOver({ metadata }: MetadataOnly, clock: Pick<Clock, 'now'>): boolean {
  const end = parseInstant(metadata.annotations?.[marks.notAfter] ?? '')
  return end !== null && end <= clock.now()
}
