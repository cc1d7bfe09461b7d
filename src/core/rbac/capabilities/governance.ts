import { requests, writes, writesAndDeletes, type Capability, type CapabilityRequest } from '../capability.ts'

const ours = 'lapse.dev'

const lapseRequests: readonly CapabilityRequest[] = [
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: ours,
    resources: ['accesspolicies', 'accesspolicyrevisions'],
    reach: 'Cluster',
    name: 'Any',
  }),
  ...requests({
    verbs: ['update', 'patch'],
    apiGroup: ours,
    resources: ['accesspolicies/status', 'accesspolicyrevisions/status'],
    reach: 'Cluster',
    name: 'Any',
  }),
  ...requests({
    verbs: ['update', 'patch'],
    apiGroup: ours,
    resources: ['nhigrants/status', 'enforcementpoints/status'],
    reach: 'Namespace',
    name: 'Any',
  }),
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: ours,
    resources: ['enforcementpoints'],
    reach: 'Namespace',
    name: 'Any',
  }),
]

/** Where Lapse runs when it is installed as documented, and what it calls its objects. */
const home = 'lapse-system'
const ownConfigurations = 'lapse'

const ownInstallation: readonly CapabilityRequest[] = [
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: 'admissionregistration.k8s.io',
    resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    reach: 'Cluster',
    name: { exactly: ownConfigurations },
  }),
  ...requests({
    verbs: writes,
    apiGroup: '',
    resources: ['pods', 'secrets'],
    reach: 'Namespace',
    onlyIn: home,
    name: 'Unnamed',
  }),
  ...requests({
    verbs: ['create', 'get'],
    apiGroup: '',
    resources: ['pods/exec'],
    reach: 'Namespace',
    onlyIn: home,
    name: 'Unnamed',
  }),
  ...requests({
    verbs: ['update', 'patch', 'delete'],
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    reach: 'Namespace',
    onlyIn: home,
    name: { exactly: 'lapse-controller' },
  }),
]

const otherEngines: readonly CapabilityRequest[] = [
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: 'kyverno.io',
    resources: ['clusterpolicies'],
    reach: 'Cluster',
    name: 'Any',
  }),
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: 'kyverno.io',
    resources: ['policies', 'policyexceptions'],
    reach: 'Namespace',
    name: 'Any',
  }),
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: 'templates.gatekeeper.sh',
    resources: ['constrainttemplates'],
    reach: 'Cluster',
    name: 'Any',
  }),
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: 'config.gatekeeper.sh',
    resources: ['configs'],
    reach: 'Namespace',
    name: 'Any',
  }),
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: 'policies.kyverno.io',
    resources: ['validatingpolicies', 'mutatingpolicies'],
    reach: 'Cluster',
    name: 'Any',
  }),
  ...requests({
    verbs: writesAndDeletes,
    apiGroup: 'policies.kyverno.io',
    resources: ['policyexceptions'],
    reach: 'Namespace',
    name: 'Any',
  }),
]

/** Rewrite the rules by which access is judged. Creating a grant is no tampering: it is how one asks. */
export const governanceTamper: Capability = {
  id: 'governance-tamper',
  code: 'R24',
  severity: 'Critical',
  title: 'Change the policies that govern access',
  what: 'Writes of AccessPolicies, of their record, of the status of grants, of the webhook configurations lapse, of Pods, Secrets and Leases in lapse-system, and of the policies of Kyverno and Gatekeeper.',
  remedy: 'Change policies through their owners; to ask for access, create of nhigrants is enough',
  references: ['OWASP NHI5:2025'],
  judgedBy: 'Requests',
  ways: [[[...lapseRequests, ...ownInstallation, ...otherEngines]]],
}
