import type { Identity } from '../../core/identity.ts'
import type { Parsed, Problem } from '../../core/problem.ts'
import { demand } from './check-common.ts'
import { readEnvelope } from './envelope.ts'
import { identityOf } from './identity.ts'
import { nhiSuspensionSpecSchema, type NHISuspensionSpec } from './nhi-suspension.schema.ts'

/** Who is suspended. */
export interface ParsedSuspension {
  readonly name: string
  readonly subject: Identity
  readonly reason: string
  /** User name of who set it, as the API server authenticated it; null: not stamped. */
  readonly setBy: string | null
}

/** The only parser of an NHISuspension. */
export function parseNHISuspension(object: unknown): Parsed<ParsedSuspension> {
  const problems: Problem[] = []
  const envelope = readEnvelope(object, 'NHISuspension', nhiSuspensionSpecSchema, problems)
  if (problems.length > 0) return { ok: false, problems }
  const { subject, reason, setBy = null } = envelope.spec as NHISuspensionSpec
  const isWhole = (subject.kind === 'ServiceAccount') === (subject.namespace !== undefined)
  const message = 'namespace is required for ServiceAccount, and not allowed for any other kind'
  demand(isWhole, 'spec.subject', message, problems)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: { name: envelope.name, subject: identityOf(subject), reason, setBy } }
}
