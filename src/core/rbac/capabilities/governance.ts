import type { Capability, CapabilityRequest } from '../capability.ts'
import { requests, writesAndDeletes } from './requests.ts'

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
]

/** Rewrite the rules by which access is judged. Creating a grant is no tampering: it is how one asks. */
export const governanceTamper: Capability = {
  id: 'governance-tamper',
  code: 'R24',
  severity: 'Critical',
  title: 'Change the policies that govern access',
  remedy: 'Change policies through their owners; to ask for access, create of nhigrants is enough',
  judgedBy: 'Requests',
  ways: [[[...lapseRequests, ...otherEngines]]],
}
