import { parseInstant, type Instant, type Millis } from '../time.ts'

/** When the access that a binding carries is over, by nothing but what is written on the binding. */
export interface BindingEnd {
  readonly at: Instant
  /** Written: the end that it names. Limit: it names one that no grant can have. Unreadable: it names none. */
  readonly by: 'Written' | 'Limit' | 'Unreadable'
}

/** The longest that a policy can let a grant last, so that no binding lasts longer. */
export const longestGrant: Millis = 2_160 * 3_600_000

/** Creation times have whole seconds: a binding was made up to this much later than it says. */
const creationPrecision: Millis = 999

/**
 * Reads the end off a binding: `notAfter` as the operator wrote it, `createdAt` as the API server did. The operator writes an end on
 * everything that it makes, so that one without a readable end was tampered with, and is over already.
 */
export function endOfBinding(notAfter: string | undefined, createdAt: string | undefined): BindingEnd {
  const written = parseInstant(notAfter ?? '')
  const created = parseInstant(createdAt ?? '')
  if (written === null || created === null) return { at: 0, by: 'Unreadable' }
  const limit = created + creationPrecision + longestGrant
  return written <= limit ? { at: written, by: 'Written' } : { at: limit, by: 'Limit' }
}

/** From when on a binding is to be removed: what was promised has `grace`, in which the controller comes first. */
export function dueAt({ at, by }: BindingEnd, grace: Millis): Instant {
  return by === 'Unreadable' ? at : at + grace
}
