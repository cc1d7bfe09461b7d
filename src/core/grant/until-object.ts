import type { UntilSpec } from './grant.ts'
import type { UntilFacts } from './until.ts'

/** As the API server sent it, of the kind and name that a grant ends with. */
export interface UntilObject {
  readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string }
  readonly [field: string]: unknown
}

/** What an object says of its own end. One that is being deleted has ended: a finalizer does not keep access alive. */
export function readUntilObject({ kind, condition }: UntilSpec, object: UntilObject): UntilFacts {
  const { uid, deletionTimestamp } = object.metadata
  if (deletionTimestamp !== undefined) return { kind: 'Ended', uid, message: 'is being deleted' }
  if (condition !== null) {
    const judged = condition.evaluate({ object })
    if (!judged.ok) return { kind: 'Unknown', message: `its expression cannot be judged: ${judged.error}` }
    return judged.value ? { kind: 'Ended', uid, message: 'fulfils the expression' } : { kind: 'Running', uid }
  }
  const message = kind === 'Job' ? endOfJob(object) : endOfPod(object)
  return message === null ? { kind: 'Running', uid } : { kind: 'Ended', uid, message }
}

interface JobCondition {
  readonly type?: unknown
  readonly status?: unknown
  readonly reason?: unknown
}

/** null: it goes on, or waits to begin. */
function endOfJob({ status }: UntilObject): string | null {
  const { conditions } = (status ?? {}) as { readonly conditions?: unknown }
  const holds = (type: string): JobCondition | undefined =>
    (Array.isArray(conditions) ? (conditions as readonly JobCondition[]) : []).find(
      (condition) => condition.type === type && condition.status === 'True',
    )
  if (holds('Complete') !== undefined) return 'succeeded'
  const failed = holds('Failed')
  return failed === undefined ? null : withReason('failed', failed.reason)
}

function endOfPod({ status }: UntilObject): string | null {
  const { phase, reason } = (status ?? {}) as { readonly phase?: unknown; readonly reason?: unknown }
  if (phase === 'Succeeded') return 'succeeded'
  return phase === 'Failed' ? withReason('failed', reason) : null
}

function withReason(message: string, reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? `${message}: ${reason}` : message
}
