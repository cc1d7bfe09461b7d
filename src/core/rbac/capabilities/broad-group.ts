import type { Capability } from '../capability.ts'
import type { PolicyRule } from '../rule.ts'

/** Whoever everybody is, with a token or without one. */
export const everybody: readonly string[] = [
  'system:authenticated',
  'system:serviceaccounts',
  'system:unauthenticated',
  'system:anonymous',
]

/**
 * What Kubernetes itself gives everybody when it starts, and kubeadm when it makes a cluster. A binding is judged by what it
 * gives, not by its name: the roles of these names can be edited.
 * Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, 1.36.
 */
export const everybodysRules: readonly PolicyRule[] = [
  {
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  {
    verbs: ['get'],
    nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*']
      .concat('/healthz', '/livez', '/readyz', '/version', '/version/')
      .concat('/.well-known/openid-configuration', '/.well-known/openid-configuration/')
      .concat('/openid/v1/jwks', '/openid/v1/jwks/'),
  },
  { verbs: ['get', 'list', 'watch'], apiGroups: ['certificates.k8s.io'], resources: ['clustertrustbundles'] },
  { verbs: ['get'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['cluster-info'] },
]

/** Access that the account has because everybody has it: no list of accounts shows it, and a new account starts with it. */
export const broadGroup: Capability = {
  id: 'broad-group',
  code: 'R23',
  severity: 'Critical',
  title: 'Access by a group that everybody is in',
  what: 'What system:authenticated, system:serviceaccounts, system:unauthenticated or the user system:anonymous is bound to, beyond what Kubernetes and kubeadm bind them to.',
  remedy: 'Bind the role to the ServiceAccounts that need it',
  references: ['Kubescape C-0262', 'Kubescape C-0265', 'OWASP NHI5:2025'],
  judgedBy: 'BroadGroups',
  ways: [],
}
