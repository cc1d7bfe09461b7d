import type { EntryOf } from './entry.ts'

function standing<const Id extends string>(entry: Omit<EntryOf<Id>, 'area' | 'waivable'>): EntryOf<Id> {
  return { ...entry, area: 'Standing', waivable: false }
}

/** Access that exists without a grant, judged where it comes into being: bindings, roles, ServiceAccounts, their tokens. */
export const standingEntries = [
  standing({
    id: 'standing-access',
    code: 'S01',
    title: 'Access without a grant',
    what: 'What a role or binding that is written gives a governed subject for good, directly, by a group or by aggregation, beyond `workloads.standing` and beyond what it holds already.',
    severity: 'High',
    remedy: 'Ask for the access with an NHIGrant, or have it listed in workloads.standing',
    references: ['OWASP NHI5:2025', 'CIS 1.12 5.1.1'],
  }),
  standing({
    id: 'token-secret',
    code: 'S02',
    title: 'A token without end in a Secret',
    what: 'Secrets of type kubernetes.io/service-account-token for a governed ServiceAccount.',
    severity: 'High',
    remedy: 'Use a token with an end: a projected volume, or kubectl create token',
    references: ['OWASP NHI7:2025', 'KEP-2799'],
  }),
  standing({
    id: 'governance-ended',
    code: 'S03',
    title: 'A ServiceAccount that leaves its policy',
    what: 'Updates of the labels of a ServiceAccount after which a policy no longer selects it.',
    severity: 'High',
    remedy: 'Keep the labels, or have the policy select the account by name',
    references: [],
  }),
  standing({
    id: 'cross-namespace-subject',
    code: 'T08',
    title: 'Access to another namespace',
    what: 'RoleBindings that name a governed ServiceAccount of another namespace.',
    severity: 'Low',
    remedy: 'Use a ServiceAccount of the namespace',
    references: ['OWASP NHI8:2025'],
  }),
  standing({
    id: 'dangling-subject',
    code: 'T09',
    title: 'Access for whoever comes',
    what: 'Bindings that name a ServiceAccount that does not exist: whoever creates it gets the access.',
    severity: 'Medium',
    remedy: 'Create the ServiceAccount first, or take it off the binding',
    references: ['OWASP NHI1:2025'],
  }),
  standing({
    id: 'user-alias',
    code: 'T11',
    title: 'A ServiceAccount named as a User',
    what: 'Bindings whose subject is of kind User and spells out the user name of a ServiceAccount. RBAC cannot tell them apart; inventories can.',
    severity: 'Medium',
    remedy: 'Name it as kind: ServiceAccount',
    references: [],
  }),
  standing({
    id: 'cloud-identity',
    code: 'T14',
    title: 'A ServiceAccount that is somebody in a cloud',
    what: 'The annotations by which EKS, GKE and Azure give a governed ServiceAccount an identity of the cloud, whenever they are set or changed.',
    severity: 'Medium',
    remedy: "See to it that the cloud's role gives no more than the policy means to",
    references: ['OWASP NHI6:2025'],
  }),
] as const
