import { clusterGrantEntries } from './cluster-grant.ts'
import { approvalEntries, grantEntries } from './grant.ts'
import { object } from './object-entry.ts'

const everyObject = [
  object(
    'invalid',
    'O01',
    'An object that cannot be read',
    'The form of the object that is written.',
    'Correct the named field',
  ),
  object(
    'namespace-missing',
    'O02',
    'A namespace that does not exist',
    'The namespace that a workload or a grant is written to.',
    'Create the namespace first',
  ),
] as const

const policies = [
  object(
    'version-not-rising',
    'O30',
    'A change of a policy without a higher version',
    'spec.version of a policy, whenever its spec changes, against every version on record.',
    'Raise spec.version',
  ),
  object(
    'review-too-late',
    'O31',
    'A policy that is not reviewed for more than a year',
    'spec.change.expiresAt of a policy: at most 366 days ahead.',
    'Set an earlier date',
  ),
  object(
    'author-forged',
    'O32',
    'A policy that names another author',
    'The annotation that names who wrote the policy: only who writes it.',
    'Leave the annotation out',
  ),
] as const

const guards = [
  object(
    'status-guarded',
    'O40',
    'A status that somebody else writes',
    'Writes of the status of the objects of Lapse: only the operator.',
    'Leave status to the operator',
  ),
  object(
    'revision-guarded',
    'O41',
    'The record of policies, changed',
    'Writes of AccessPolicyRevisions: only the operator.',
    'Change the AccessPolicy; the operator records it',
  ),
  object(
    'grant-object',
    'O42',
    'What carries a grant, changed',
    'Writes of roles and bindings that carry a grant: only the operator.',
    'To end the access delete the grant, or set its spec.revoke',
  ),
  object(
    'pool-role',
    'O43',
    'A binding to a role of the pool',
    'Bindings to the ClusterRoles that carry grants: only the operator.',
    'Ask for the access with an NHIGrant',
  ),
  object(
    'definition-guarded',
    'O44',
    'The definitions of our kinds, changed',
    'Updates and deletions of the CustomResourceDefinitions of lapse.dev: only cluster admins.',
    'Let a cluster admin upgrade the chart',
  ),
] as const

const offline = [
  {
    ...object(
      'requester-unknown',
      'O50',
      'A requester whom files cannot tell',
      'lapse check: who asks for a grant, and in which groups they are.',
      'Pass --as USER --as-group GROUP',
    ),
    severity: 'Info',
  },
  {
    ...object(
      'role-unknown',
      'O51',
      'A role that is not among the files',
      'lapse check: bindings of the ServiceAccount of a workload to roles that are not known.',
      'Add the role to the files',
    ),
    severity: 'Medium',
  },
] as const

/** What grants, policies and the objects around them are refused for. */
export const objectEntries = [
  ...everyObject,
  ...grantEntries,
  ...clusterGrantEntries,
  ...policies,
  ...guards,
  ...approvalEntries,
  ...offline,
] as const
