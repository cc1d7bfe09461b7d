import { marks } from '../../api/v1alpha1/objects.ts'
import type { KubeObject } from '../../cluster/ports.ts'
import type { Evidence } from '../../core/audit/record.ts'
import { serviceAccountUsername } from '../../core/identity.ts'
import { formatInstant, type Instant } from '../../core/time.ts'

/** A binding, as far as its grant can be told from it. */
type Binding = Pick<KubeObject, 'metadata'> & { readonly kind?: string }

/** That a binding was removed whose grant is gone or has ended. */
export function evidenceOfOrphan(binding: Binding, now: Instant): Evidence {
  const what = describeBinding(binding)
  return fromBinding(binding, 'Ended', `${what} was removed: the grant that it carried is gone or has ended`, now)
}

/** That a binding is about to be removed whose end came while no controller worked, whether or not its grant is there. */
export function evidenceOfOverdue(binding: Binding, now: Instant): Evidence {
  return fromBinding(binding, 'Ending', `${describeBinding(binding)} is removed: the end that it names has come`, now)
}

function describeBinding({ kind, metadata: { namespace, name } }: Binding): string {
  return `${kind ?? (namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding')} ${name}`
}

/** All that is known of the grant is what the binding says. */
function fromBinding(
  { metadata, ...binding }: Binding,
  kind: 'Ending' | 'Ended',
  message: string,
  now: Instant,
): Evidence {
  const { namespace = null, labels = {}, annotations = {}, ownerReferences = [] } = metadata
  const uid = labels[marks.grantUid] ?? ''
  const owner = ownerReferences.find((reference) => reference.uid === uid)
  return {
    kind,
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
    message,
  }
}

/** The first, for what we make names one. */
function subjectIn(binding: object): string {
  const { subjects = [] } = binding as { readonly subjects?: readonly Partial<Record<string, string>>[] }
  const { kind, namespace = '', name = '' } = subjects[0] ?? {}
  return kind === 'ServiceAccount' ? serviceAccountUsername(namespace, name) : name
}
