import { requests, type Capability, type CapabilityRequest } from '../capability.ts'

export const tokenRequest: Capability = {
  id: 'token-request',
  code: 'R08',
  severity: 'Critical',
  title: 'Mint tokens of ServiceAccounts',
  what: 'create of serviceaccounts/token, with names too.',
  remedy: 'Project the token into the Pod that needs it; the kubelet asks for it',
  references: ['CIS 1.12 5.1.13', 'Kubescape C-0282', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['create'],
        apiGroup: '',
        resources: ['serviceaccounts/token'],
        reach: 'Namespace',
        name: 'Any',
      }),
    ],
  ],
}

const authentication = 'authentication.k8s.io'

/** Constrained impersonation, Kubernetes 1.36. */
const constrained: readonly CapabilityRequest[] = [
  ...requests({
    verbs: ['impersonate:user-info'],
    apiGroup: authentication,
    resources: ['users', 'groups', 'uids'],
    reach: 'Cluster',
    name: 'Any',
  }),
  ...requests({
    verbs: ['impersonate:serviceaccount'],
    apiGroup: authentication,
    resources: ['serviceaccounts'],
    reach: 'Namespace',
    name: 'Any',
  }),
  ...requests({
    verbs: ['impersonate:arbitrary-node', 'impersonate:associated-node'],
    apiGroup: authentication,
    resources: ['nodes'],
    reach: 'Cluster',
    name: 'Any',
  }),
]

/**
 * Act as another identity. Of constrained impersonation the first half is enough here: its second half may be any verb
 * on anything. userextras are not asked for: no request may carry them without one of these.
 */
export const impersonate: Capability = {
  id: 'impersonate',
  code: 'R09',
  severity: 'Critical',
  title: 'Impersonate other identities',
  what: 'The verbs impersonate and impersonate:* on users, groups, ServiceAccounts, uids and nodes.',
  remedy: 'Remove the impersonate verbs',
  references: ['CIS 1.12 5.1.8', 'Kubescape C-0065', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      [
        ...requests({
          verbs: ['impersonate'],
          apiGroup: '',
          resources: ['users', 'groups'],
          reach: 'Cluster',
          name: 'Any',
        }),
        ...requests({
          verbs: ['impersonate'],
          apiGroup: '',
          resources: ['serviceaccounts'],
          reach: 'Namespace',
          name: 'Any',
        }),
        ...requests({
          verbs: ['impersonate'],
          apiGroup: authentication,
          resources: ['uids'],
          reach: 'Cluster',
          name: 'Any',
        }),
        ...constrained,
      ],
    ],
  ],
}

const certificates = 'certificates.k8s.io'

/** Signers whose certificates the API server takes as a login; other signers' harm nobody here. */
const clientSigners = [
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/*',
]

function onSigners(verb: string): readonly CapabilityRequest[] {
  return clientSigners.flatMap((exactly) =>
    requests({ verbs: [verb], apiGroup: certificates, resources: ['signers'], reach: 'Cluster', name: { exactly } }),
  )
}

function onSigningRequests(verbs: readonly string[], subresource: string): readonly CapabilityRequest[] {
  const resources = [`certificatesigningrequests${subresource}`]
  return requests({ verbs, apiGroup: certificates, resources, reach: 'Cluster', name: 'Any' })
}

/** Have a client certificate issued for any user, or issue it. Such a certificate cannot be revoked. */
export const csrSign: Capability = {
  id: 'csr-sign',
  code: 'R14',
  severity: 'Critical',
  title: 'Issue client certificates for any user',
  what: 'Creating a certificate signing request, approving it and the right to approve for a signer of client certificates, all three; or the right to sign for one, and to write the status.',
  remedy: 'Grant approve only on the signers that are needed, by resourceNames',
  references: ['CIS 1.12 5.1.11', 'Kubescape C-0280', 'OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [
    [onSigners('approve'), onSigningRequests(['update', 'patch'], '/approval'), onSigningRequests(['create'], '')],
    [onSigners('sign'), onSigningRequests(['update', 'patch'], '/status')],
  ],
}
