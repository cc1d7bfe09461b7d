import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { ObjectReference } from '../../cluster/ports.ts'
import { untilApiVersion } from '../../core/grant/until.ts'
import type { Identity } from '../../core/identity.ts'

/**
 * What a spec names, read so that nothing in it can fail: an object may be older than its schema, and one that cannot be
 * read must not stand in front of its own end, or of anybody else's.
 */
type LooseSpec = {
  readonly policy?: Partial<NHIGrant['spec']['policy']>
  readonly subject?: Partial<NHIGrant['spec']['subject']>
  readonly until?: Partial<NonNullable<NHIGrant['spec']['until']>>
} | null

/** Empty when the spec names none. */
export function policyNamedBy(grant: NHIGrant): string {
  return (grant.spec as LooseSpec)?.policy?.name ?? ''
}

/** The object that a grant ends with; null: the spec names none. */
export function objectNamedBy(grant: NHIGrant): ObjectReference | null {
  const { kind = '', name = '', apiVersion = untilApiVersion(kind) } = (grant.spec as LooseSpec)?.until ?? {}
  return name === '' ? null : { apiVersion, kind, namespace: grant.metadata.namespace ?? '', name }
}

/** Whom the bindings of a grant name: the identity of its own if it has one, and its subject if not. */
export function boundSubjectOf(grant: NHIGrant): Identity {
  const own = (grant.status?.objects ?? []).find(({ kind }) => kind === 'ServiceAccount')
  if (own === undefined) return subjectOf(grant)
  return { kind: 'ServiceAccount', namespace: grant.metadata.namespace ?? '', name: own.name }
}

/** Whom the access was given to: as the spec says or, if that cannot be read any more, as it was recorded. */
export function subjectOf(grant: NHIGrant): Identity {
  const recorded = grant.status?.subject?.username ?? ''
  const { kind = 'User', name = recorded, namespace = '' } = (grant.spec as LooseSpec)?.subject ?? {}
  return kind === 'ServiceAccount' ? { kind, namespace, name } : { kind, name }
}
