import type { EntryOf } from './entry.ts'

const shared = { area: 'Token', waivable: true } as const

export const defaultServiceAccount = {
  ...shared,
  id: 'default-service-account',
  code: 'T01',
  title: 'The ServiceAccount default, with its token',
  what: 'The ServiceAccount of a workload that can reach an API token, where workloads.checks lists this check: it must not be the one that every Pod gets that names none.',
  severity: 'Medium',
  remedy: 'Give the workload a ServiceAccount of its own, or set automountServiceAccountToken to false',
  references: ['CIS 1.12 5.1.5', 'Kubescape C-0189', 'OWASP NHI9:2025'],
} as const satisfies EntryOf<string>

export const needlessToken = {
  ...shared,
  id: 'needless-token',
  code: 'T02',
  title: 'A token that nothing needs',
  what: 'Whether a workload can reach an API token although its ServiceAccount holds no more than every ServiceAccount does, where workloads.checks lists this check. Not judged of accounts that a policy with grants governs, which may come to hold more, of tokens for other audiences, and where a binding names a role that is not there.',
  severity: 'Low',
  remedy: 'Set automountServiceAccountToken to false',
  references: ['CIS 1.12 5.1.6', 'Kubescape C-0190', 'Aqua KSV-0036', 'OWASP NHI5:2025'],
} as const satisfies EntryOf<string>

const serviceAccountMissing = {
  ...shared,
  id: 'service-account-missing',
  code: 'T03',
  title: 'A ServiceAccount that does not exist',
  what: 'The ServiceAccount that a Pod names, at admission. Whoever may create an account of that name takes over its Pods.',
  severity: 'High',
  remedy: 'Create the ServiceAccount first',
  references: ['Kubescape C-0307', 'OWASP NHI1:2025'],
  waivable: false,
} as const satisfies EntryOf<string>

export const legacyToken = {
  ...shared,
  id: 'legacy-token',
  code: 'T04',
  title: 'A token without end, from a Secret',
  what: 'Names of the Secrets in volumes and in the environment, where workloads.checks lists this check: of the form ACCOUNT-token-xxxxx they hold a token that the cluster made before Kubernetes 1.24. Secrets themselves are not read, so a token under another name is not found.',
  severity: 'High',
  remedy: 'Remove the Secret from the Pod, and use the token that the kubelet mounts and renews',
  references: ['OWASP NHI7:2025'],
} as const satisfies EntryOf<string>

export const longLivedToken = {
  ...shared,
  id: 'long-lived-token',
  code: 'T05',
  title: 'A projected token that lasts too long',
  what: 'expirationSeconds of projected tokens, one hour where it is not set, against workloads.maxTokenLifetime.',
  severity: 'Medium',
  remedy: 'Lower expirationSeconds: the kubelet renews the token in time',
  references: ['OWASP NHI7:2025'],
} as const satisfies EntryOf<string>

export const secretInEnv = {
  ...shared,
  id: 'secret-in-env',
  code: 'T15',
  title: 'Secrets in the environment',
  what: 'env and envFrom of every container, where workloads.checks lists this check: values from Secrets (Medium), and values that stand in the manifest under the name of a credential, such as DB_PASSWORD (High).',
  severity: 'High',
  remedy: 'Mount the Secret as a file: processes inherit their environment, and print it',
  references: ['CIS 1.12 5.4.1', 'Kubescape C-0012', 'Kubescape C-0207', 'OWASP NHI2:2025'],
} as const satisfies EntryOf<string>

/** Identity and token hygiene. */
export const tokenEntries = [
  defaultServiceAccount,
  needlessToken,
  serviceAccountMissing,
  legacyToken,
  longLivedToken,
  secretInEnv,
] as const
