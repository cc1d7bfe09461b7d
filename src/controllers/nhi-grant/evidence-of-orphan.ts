import { marks } from '../../api/v1alpha1/objects.ts'
import type { KubeObject } from '../../cluster/ports.ts'
import type { Evidence } from '../../core/audit/record.ts'
import { serviceAccountUsername } from '../../core/identity.ts'
import { formatInstant, type Instant } from '../../core/time.ts'

/** That a binding was removed whose grant is gone or has ended: all that is known of the grant is what the binding says. */
export function evidenceOfOrphan({ metadata, ...binding }: KubeObject, now: Instant): Evidence {
  const { namespace = null, name, labels = {}, annotations = {}, ownerReferences = [] } = metadata
  const uid = labels[marks.grantUid] ?? ''
  const owner = ownerReferences.find((reference) => reference.uid === uid)
  return {
    kind: 'Ended',
    time: formatInstant(now),
    grant: {
      kind: owner?.kind ?? (namespace === null ? 'ClusterNHIGrant' : 'NHIGrant'),
      namespace,
      name: owner?.name ?? '',
      uid,
    },
    actor: 'lapse',
    requestedBy: null,
    subject: subjectIn(binding),
    policy: { name: labels[marks.policy] ?? '', version: labels[marks.policyVersion] ?? null, digest: null },
    permissions: [],
    waive: [],
    rules: null,
    notAfter: annotations[marks.notAfter] ?? null,
    reason: '',
    ticket: null,
    message: `${binding.kind ?? 'RoleBinding'} ${name} was removed: the grant that it carried is gone or has ended`,
  }
}

/** The first, for what we make names one. */
function subjectIn(binding: object): string {
  const { subjects = [] } = binding as { readonly subjects?: readonly Partial<Record<string, string>>[] }
  const { kind, namespace = '', name = '' } = subjects[0] ?? {}
  return kind === 'ServiceAccount' ? serviceAccountUsername(namespace, name) : name
}
