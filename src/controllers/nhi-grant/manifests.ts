import { marks, type NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Identity } from '../../core/identity.ts'
import type { GrantRecord, ManagedObject } from '../../core/grant/record.ts'
import { formatInstant } from '../../core/time.ts'
import { managedByLapse, ownedBy } from '../marks.ts'

/** What carries a grant, ready to be created. The reaper needs only its annotation to end it. */
export function manifestOf(
  grant: NHIGrant,
  record: Pick<GrantRecord, 'notAfter'> & { readonly policy: Pick<GrantRecord['policy'], 'name' | 'version'> },
  subject: Identity,
  object: ManagedObject,
): object {
  const metadata = {
    name: object.name,
    namespace: grant.metadata.namespace,
    labels: {
      ...managedByLapse,
      [marks.policy]: record.policy.name,
      [marks.policyVersion]: record.policy.version,
      [marks.grantUid]: grant.metadata.uid,
    },
    annotations: { [marks.notAfter]: formatInstant(record.notAfter) },
    ownerReferences: [ownedBy(grant.kind, grant.metadata)],
  }
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  if (object.kind === 'Role') return { apiVersion, kind: 'Role', metadata, rules: object.rules }
  if (object.kind === 'ServiceAccount')
    return { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false }
  if (object.kind === 'Secret') return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'lapse.dev/token' }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', ...object.roleRef }
  return { apiVersion, kind: object.kind, metadata, roleRef, subjects: [rbacSubjectOf(subject)] }
}

/** The RBAC subject of exactly one identity. */
function rbacSubjectOf(identity: Identity): object {
  return identity.kind === 'ServiceAccount'
    ? { kind: 'ServiceAccount', namespace: identity.namespace, name: identity.name }
    : { kind: identity.kind, apiGroup: 'rbac.authorization.k8s.io', name: identity.name }
}
