import type { Condition } from '../api/v1alpha1/conditions.ts'
import type { KubeObject } from '../cluster/ports.ts'
import type { NHIGrantSpec } from '../api/v1alpha1/nhi-grant.schema.ts'
import type { NHIGrantStatus } from '../api/v1alpha1/nhi-grant-status.schema.ts'
import type { Identity } from '../core/identity.ts'
import { parseInstant, type Instant } from '../core/time.ts'

/** What commands tell of a grant that the API server has stored. */
export interface GrantRow {
  readonly kind: string
  /** Empty for one that is cluster-scoped. */
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly subject: Identity
  /** version: the one that it was issued under, else the one that it asks for; null: neither is said. */
  readonly policy: { readonly name: string; readonly version: string | null }
  readonly state: string
  /** null: it has not been issued, and asks for no fixed end. */
  readonly notAfter: Instant | null
  readonly reason: string
  /** UIDs of the bindings that carry it. */
  readonly bindings: readonly string[]
  readonly spec: NHIGrantSpec
  readonly status: NHIGrantStatus
}

export function grantRow(object: KubeObject): GrantRow {
  const { kind = 'NHIGrant', metadata } = object
  const spec = object['spec'] as NHIGrantSpec
  const status = (object['status'] ?? {}) as NHIGrantStatus
  const notAfter = status.notAfter ?? spec.notAfter
  return {
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    subject: identityOf(spec.subject),
    policy: { name: spec.policy.name, version: status.policy?.version ?? spec.policy.version ?? null },
    state: status.state ?? 'Pending',
    notAfter: notAfter === undefined ? null : parseInstant(notAfter),
    reason: spec.reason,
    bindings: (status.objects ?? []).flatMap(({ kind: what, uid }) =>
      what.endsWith('RoleBinding') && uid !== undefined ? [uid] : [],
    ),
    spec,
    status,
  }
}

function identityOf({ kind, namespace, name }: NHIGrantSpec['subject']): Identity {
  return kind === 'ServiceAccount' ? { kind, namespace: namespace ?? '', name } : { kind, name }
}

const terminal: ReadonlySet<string> = new Set(['Expired', 'Completed', 'Revoked', 'Denied'])

/** Whether its life is over. A state that is not known here is none that is over. */
export function hasEnded({ state }: Pick<GrantRow, 'state'>): boolean {
  return terminal.has(state)
}

/** Whether it broke the glass and nobody has looked at it since. */
export function awaitsReview({ spec, status }: Pick<GrantRow, 'spec' | 'status'>): boolean {
  return spec.breakGlass !== undefined && status.issuedAt !== undefined && status.review?.reviewedAt === undefined
}

/** What a condition of its status says; null: it is not there. */
export function conditionOf({ status }: Pick<GrantRow, 'status'>, type: string): Condition | null {
  return status.conditions?.find((condition) => condition.type === type) ?? null
}

/** How messages name it: `payments/rollout-2041`. */
export function grantName({ namespace, name }: Pick<GrantRow, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`
}

export function policyText({ policy: { name, version } }: Pick<GrantRow, 'policy'>): string {
  return version === null ? name : `${name}@${version}`
}
