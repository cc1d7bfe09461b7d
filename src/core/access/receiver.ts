import { describeIdentity, type Identity } from '../identity.ts'
import type { Policy, SubjectRule } from '../policy/policy.ts'
import { canonicalIdentity, governs } from '../policy/select.ts'
import { rbacUserOf, type RbacSubject, type RbacUser } from '../rbac/subject.ts'
import { selects } from '../selector.ts'
import type { World } from '../world.ts'
import { judgesStanding } from './policy-finding.ts'

type Account = Extract<Identity, { kind: 'ServiceAccount' }>

/** Whom a subject of a binding stands for, if a policy that judges standing access governs it, or somebody in it. */
export interface Receiver {
  readonly identity: Identity
  readonly user: RbacUser
  /** How messages name it. */
  readonly description: string
  /** In order of their names; at least one. */
  readonly policies: readonly Policy[]
  /** A ServiceAccount that is not there. Any policy that could select it counts: whoever creates it chooses its labels. */
  readonly isMissing: boolean
}

/** null: nobody, or nobody whose standing access is judged. `bindingNamespace` is null for a ClusterRoleBinding. */
export function receiverOf(subject: RbacSubject, bindingNamespace: string | null, world: World): Receiver | null {
  const identity = identityOf(subject, bindingNamespace)
  if (identity === null) return null
  const isMissing =
    identity.kind === 'ServiceAccount' &&
    (world.namespaceLabels(identity.namespace) === null ||
      world.serviceAccount(identity.namespace, identity.name) === null)
  const policies = world
    .policies()
    .filter((policy) => judgesStanding(policy) && reaches(policy, identity, isMissing, world))
  if (policies.length === 0) return null
  const description = `${describeIdentity(identity)}${isMissing ? ' (which does not exist)' : memberNote(identity)}`
  return { identity, user: rbacUserOf(identity), description, policies, isMissing }
}

/** A User that spells out a ServiceAccount's name is that ServiceAccount. */
function identityOf({ kind, name, namespace }: RbacSubject, bindingNamespace: string | null): Identity | null {
  switch (kind) {
    case 'ServiceAccount': {
      const place = namespace || bindingNamespace
      return place ? { kind, namespace: place, name } : null
    }
    case 'User':
      return canonicalIdentity({ kind, name })
    case 'Group':
      return { kind, name }
    default:
      return null
  }
}

/** Whoever leaves out its credentials is this user, in this group: what they are given everybody has. */
function isAnybody({ kind, name }: Identity): boolean {
  return (kind === 'User' && name === 'system:anonymous') || (kind === 'Group' && name === 'system:unauthenticated')
}

function reaches(policy: Policy, identity: Identity, isMissing: boolean, world: World): boolean {
  if (isAnybody(identity) || governs(policy, identity, world)) return true
  if (identity.kind === 'Group') return policy.subjects.some((rule) => hasMembersIn(rule, identity.name, world))
  return identity.kind === 'ServiceAccount' && isMissing && couldGovern(policy, identity, world)
}

/** Whether the policy would govern the account if it were created with the right labels, or its namespace were. */
export function couldGovern(policy: Policy, { namespace, name }: Account, world: World): boolean {
  const labels = world.namespaceLabels(namespace)
  return policy.subjects.some(
    (rule) =>
      rule.kind === 'ServiceAccount' &&
      (labels === null || selects(rule.namespaceSelector, labels)) &&
      (rule.selector !== null || rule.names.includes(name)),
  )
}

/** Whether an entry governs somebody who is in the group by the way groups are made, not by somebody's word. */
function hasMembersIn(rule: SubjectRule, group: string, world: World): boolean {
  if (rule.kind !== 'ServiceAccount')
    return rule.names.some((name) => rbacUserOf({ kind: rule.kind, name }).groups.includes(group))
  if (group === 'system:authenticated' || group === 'system:serviceaccounts') return true
  if (!group.startsWith(accountsOfNamespace)) return false
  const labels = world.namespaceLabels(group.slice(accountsOfNamespace.length))
  return labels === null || selects(rule.namespaceSelector, labels)
}

const accountsOfNamespace = 'system:serviceaccounts:'

function memberNote(identity: Identity): string {
  if (isAnybody(identity)) return ' (who anybody is without credentials)'
  if (identity.kind !== 'Group') return ''
  if (identity.name.startsWith(accountsOfNamespace))
    return ` (every ServiceAccount of ${identity.name.slice(accountsOfNamespace.length)})`
  return identity.name === 'system:serviceaccounts' ? ' (every ServiceAccount)' : ''
}
