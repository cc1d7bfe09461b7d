import { podSecurityChecks } from '../workload/pod-security.ts'
import type { PodSecurityCheckId } from '../workload/pod-security/check.ts'
import type { EntryOf } from './entry.ts'

/** What else knows each check, beside the Pod Security Standards. The numbers of CIS are those of version 1.12. */
const alsoKnownAs: Readonly<Partial<Record<PodSecurityCheckId, readonly string[]>>> = {
  privileged: ['CIS 1.12 5.2.2'],
  'host-namespaces': ['CIS 1.12 5.2.3', 'CIS 1.12 5.2.4', 'CIS 1.12 5.2.5'],
  'privilege-escalation': ['CIS 1.12 5.2.6'],
  'run-as-non-root': ['CIS 1.12 5.2.7'],
  'run-as-user': ['CIS 1.12 5.2.7'],
  capabilities: ['CIS 1.12 5.2.8', 'CIS 1.12 5.2.9'],
  'capabilities-restricted': ['CIS 1.12 5.2.8', 'CIS 1.12 5.2.9'],
  'windows-host-process': ['CIS 1.12 5.2.10'],
  'host-path': ['CIS 1.12 5.2.11'],
  'host-ports': ['CIS 1.12 5.2.12'],
}

/** The checks of `workloads.podSecurity`. */
export const hostEntries: readonly EntryOf<PodSecurityCheckId>[] = podSecurityChecks.map(
  ({ id, title, what, severity, remedy, level, upstream }, index) => ({
    id,
    code: `H${String(index + 1).padStart(2, '0')}`,
    title,
    what,
    severity,
    remedy,
    area: 'Host',
    references: [`PSS ${level} ${upstream}`, ...(alsoKnownAs[id] ?? [])],
    waivable: true,
  }),
)
