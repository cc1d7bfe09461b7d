import type { EntryOf } from './entry.ts'

function object<const Id extends string>(
  id: Id,
  code: string,
  title: string,
  what: string,
  remedy: string,
): EntryOf<Id> {
  return { id, code, title, what, severity: 'High', remedy, area: 'Object', references: [], waivable: false }
}

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

const grants = [
  object(
    'policy-missing',
    'O10',
    'A grant under no policy',
    'spec.policy.name of a grant.',
    'Name an AccessPolicy that exists',
  ),
  object(
    'policy-grants-nothing',
    'O11',
    'A grant under a policy that issues none',
    'Whether the policy of a grant has spec.grants.',
    'Name a policy that issues grants',
  ),
  object(
    'policy-expired',
    'O12',
    'A policy whose review is overdue',
    'spec.change.expiresAt of a policy, when it is written and whenever a grant is asked for under it.',
    'Review the policy, and set the date of the next review',
  ),
  object(
    'policy-version',
    'O13',
    'A grant that names another version of the policy',
    'spec.policy.version of a grant: the active version, or nothing.',
    'Check the request against the active version, and name that',
  ),
  object(
    'subject-missing',
    'O14',
    'A grant for a ServiceAccount that does not exist',
    'spec.subject of a grant: whoever creates the account later would get the access.',
    'Create the ServiceAccount first',
  ),
  object(
    'subject-not-governed',
    'O15',
    'A grant for a subject that the policy does not govern',
    'Whether spec.subjects of the policy selects spec.subject of the grant.',
    'Name a subject that the policy selects',
  ),
  object(
    'namespace-out-of-scope',
    'O16',
    'A grant outside of the scope of the policy',
    "Whether the policy's scope selects the namespace of the grant.",
    'Create the grant in a namespace that the scope selects',
  ),
  object(
    'requester-not-allowed',
    'O17',
    'A requester whom the policy does not list',
    'Who creates the grant: it must be one of spec.grants.requesters of the policy.',
    'Let one of the listed requesters ask',
  ),
  object(
    'requester-forged',
    'O18',
    'A grant that names another requester',
    'spec.requestedBy of a grant: only who creates it.',
    'Leave spec.requestedBy out',
  ),
  object(
    'window-passed',
    'O19',
    'A grant whose time is over',
    'spec.notAfter of a grant, before it starts.',
    'Create a new grant',
  ),
  object(
    'duration-too-long',
    'O20',
    'A grant for longer than the policy allows',
    'The time from the start of a grant to its end, against spec.grants.maxDuration.',
    'Ask for less time',
  ),
  object(
    'too-many-active',
    'O21',
    'More grants at a time than the policy allows',
    'Grants of the same subject under the policy that have not ended, against spec.grants.maxActivePerSubject.',
    'Wait for one to end, or revoke it',
  ),
  object(
    'permission-unknown',
    'O22',
    'A permission that the policy does not have',
    'spec.permissions of a grant, and the ClusterRole behind each.',
    'Name permissions of the policy',
  ),
  object(
    'beyond-ceiling',
    'O23',
    'Rules beyond the permissions that the grant names',
    'spec.rules of a grant: what they allow must be covered by the named permissions.',
    'Ask for less, or name the permissions that cover it',
  ),
  object(
    'too-many-rules',
    'O24',
    'More rules than one grant may carry',
    'The rules that the named permissions come to.',
    'Ask for less, or in several grants',
  ),
  object(
    'hands-on-access',
    'O25',
    'Rules with which access outlives the grant',
    'The rules of a policy and of a grant: none may allow to bind, escalate, impersonate, mint tokens or write grants.',
    'Leave the rule out, or name verbs and resources one by one',
  ),
  object(
    'grant-immutable',
    'O26',
    'A grant that is changed after the fact',
    'Updates of spec of a grant: only spec.revoke may be set.',
    'Create a new grant',
  ),
  object(
    'waiver-not-allowed',
    'O27',
    'A check that the policy does not let be waived',
    'spec.waive of a grant, against spec.grants.waivable of the policy.',
    'Mend the workload, or ask the owner of the policy to list the check',
  ),
  object(
    'waiver-subject',
    'O28',
    'A waiver for an identity that runs no workloads there',
    'spec.subject of a grant that waives checks: it must be a ServiceAccount of the namespace of the grant.',
    'Create the grant in the namespace of the ServiceAccount',
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
export const objectEntries = [...everyObject, ...grants, ...policies, ...guards, ...offline] as const
