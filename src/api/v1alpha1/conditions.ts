import { clip } from './clip.ts'
import { formatInstant, type Instant } from '../../core/time.ts'
import type { AccessPolicyStatus } from './access-policy.schema.ts'

export type Condition = NonNullable<AccessPolicyStatus['conditions']>[number]

/** A condition as a reconcile concludes it; when it last changed is worked out by `mergeConditions`. */
export type Conclusion = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/**
 * The conditions to report: those concluded now, sorted by type. lastTransitionTime moves only when a status changes;
 * a type that is not concluded any more is dropped.
 */
export function mergeConditions(
  before: readonly Condition[],
  concluded: readonly Conclusion[],
  generation: number,
  now: Instant,
): readonly Condition[] {
  return [...concluded]
    .sort((a, b) => (a.type < b.type ? -1 : 1))
    .map((conclusion) => {
      const old = before.find((condition) => condition.type === conclusion.type)
      const unchanged = old !== undefined && old.status === conclusion.status
      return {
        ...conclusion,
        message: clip(conclusion.message),
        observedGeneration: generation,
        lastTransitionTime: unchanged ? old.lastTransitionTime : formatInstant(now),
      }
    })
}
