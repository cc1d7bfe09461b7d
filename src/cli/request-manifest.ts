import { apiVersion } from '../api/v1alpha1/objects.ts'
import type { Identity } from '../core/identity.ts'
import type { Wish } from './request-args.ts'

/** The grant to create. What was not said is not in it. */
export function grantManifest(wish: Wish, policy: NonNullable<Wish['policy']>, namespace: string): object {
  const subject = wish.subject(namespace)
  return {
    apiVersion,
    kind: wish.isWide ? 'ClusterNHIGrant' : 'NHIGrant',
    metadata: {
      ...(wish.isWide ? {} : { namespace }),
      ...(wish.name === null ? { generateName: generateName(subject) } : { name: wish.name }),
    },
    spec: {
      policy: { name: policy.name, ...(policy.version !== null && { version: policy.version }) },
      subject,
      ...(wish.permissions.length > 0 && { permissions: wish.permissions }),
      ...(wish.waive.length > 0 && { waive: wish.waive }),
      ...(wish.duration !== null && { duration: wish.duration }),
      ...(wish.notAfter !== null && { notAfter: wish.notAfter }),
      reason: wish.reason,
      ...(wish.ticket !== null && { ticket: wish.ticket }),
      ...(wish.until !== null && { until: wish.until }),
      ...(wish.incident !== null && { breakGlass: { incident: wish.incident } }),
      ...(wish.secretName !== null && {
        credential: { secretName: wish.secretName, ...(wish.audiences.length > 0 && { audiences: wish.audiences }) },
      }),
    },
  }
}

/** What of the subject's name may be in the name of an object, and a dash. */
export function generateName({ name }: Identity): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 50)
    .replace(/-+$/, '')
  return `${readable === '' ? 'grant' : readable}-`
}
