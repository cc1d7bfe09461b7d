import { highFinding, type Finding } from '../finding.ts'
import { describeIdentity, requesterNamed, serviceAccountOf, usernameOf, type Requester } from '../identity.ts'
import { describePolicy, type ApprovalTerms, type GrantTerms, type Policy, type WhoRule } from '../policy/policy.ts'
import { canonicalIdentity } from '../policy/select.ts'
import type { Instant } from '../time.ts'
import type { World } from '../world.ts'
import type { GrantSpec } from './grant.ts'
import { isOwnAccount } from './own-account.ts'
import { describeRequester, isNamed } from './requesters.ts'

/** What somebody said of a grant, as it is stored. */
export interface ApprovalFacts {
  readonly name: string
  /** What was looked at: spec and policy version. */
  readonly grantDigest: string
  readonly decision: 'Approve' | 'Deny' | 'Review'
  /** User name, as the API server authenticated it; null: not stamped, which counts for nothing. */
  readonly approver: string | null
  readonly reason: string
  readonly createdAt: Instant
}

/** What is said of one grant, and how what must be looked at is told. */
export interface Approvals {
  readonly facts: readonly ApprovalFacts[]
  /** The digest of the grant under a version of its policy. */
  readonly digestUnder: (policyDigest: string) => string
}

/** The approvals that a grant needs, and has. */
export interface AskedApprovals {
  readonly required: number
  /** What must be approved. */
  readonly digest: string
  readonly given: readonly { readonly name: string; readonly approver: string }[]
}

export interface CountedApprovals {
  /** Those that count, one for each approver. */
  readonly given: readonly ApprovalFacts[]
  /** null: nobody who may has said no. */
  readonly denial: ApprovalFacts | null
}

/**
 * What counts of the approvals under that version of the policy. The right to approve is looked at now, whatever it was when
 * they were made; of groups that nobody knows here their admission tells, which asked the same version.
 */
export function countApprovals(
  spec: GrantSpec,
  { facts, digestUnder }: Approvals,
  { by, digest }: { readonly by: readonly WhoRule[]; readonly digest: string },
  world: World,
): CountedApprovals {
  if (facts.length === 0) return { given: [], denial: null }
  const meant = digestUnder(digest)
  const valid = facts.filter(
    (fact) => fact.grantDigest === meant && fact.approver !== null && mayDecide(spec, fact.approver, by, world),
  )
  const given = new Map<string, ApprovalFacts>()
  for (const fact of valid)
    if (fact.decision === 'Approve' && !given.has(fact.approver ?? '')) given.set(fact.approver ?? '', fact)
  return { given: [...given.values()], denial: valid.find(({ decision }) => decision === 'Deny') ?? null }
}

/** Whether what he says of the grant counts, by the right that he has now. */
export function mayDecide(spec: GrantSpec, approver: string, by: readonly WhoRule[], world: World): boolean {
  const account = serviceAccountOf(approver)
  if (account !== null && world.serviceAccount(account.namespace, account.name) === null) return false
  return whyNotApprover(spec, requesterNamed(approver), by, world, true) === null
}

/**
 * Why somebody may not approve, deny or review a grant; null: he may. Nobody may for himself: neither who asked for it nor its subject,
 * however they are spelled, nor a member of a subject that is a group. Nor may who is suspended.
 */
export function whyNotApprover(
  spec: GrantSpec,
  approver: Requester,
  by: readonly WhoRule[],
  world: Pick<World, 'suspension'>,
  isAdmitted: boolean,
): string | null {
  const { username, groups } = approver
  const subject = canonicalIdentity(spec.subject)
  if (username === spec.requestedBy) return `${username} asked for the grant`
  if (username === usernameOf(subject)) return `${username} is the subject of the grant`
  const account = serviceAccountOf(username)
  if (account !== null && isOwnAccount(account.name)) return `${username} is the identity of a grant`
  if (subject.kind === 'Group' && groups?.includes(subject.name))
    return `${username} is a member of ${describeIdentity(subject)}, the subject of the grant`
  const suspension = world.suspension({ kind: 'User', name: username })
  if (suspension !== null) return `${username} is suspended: ${suspension.reason}`
  if (by.some((rule) => isNamed(rule, approver, isAdmitted))) return null
  return by.length === 0 ? 'nobody may' : `only these may: ${by.map(describeRequester).join(', ')}`
}

/** From when on an approval comes too late: the grant has waited for long enough, or its window has passed. */
export function approvalCloses({ end }: GrantSpec, createdAt: Instant, { within }: ApprovalTerms): Instant {
  return Math.min(createdAt + within, end.kind === 'At' ? end.notAfter : Infinity)
}

/** What counts, as it goes on record. */
export function askedOf({ given }: CountedApprovals, required: number, digest: string): AskedApprovals {
  return { required, digest, given: given.map(({ name, approver }) => ({ name, approver: approver ?? '' })) }
}

/** How many must approve, and whether there is anybody who may. */
export function approvalsNeeded(
  { approval, breakGlass }: GrantTerms,
  spec: GrantSpec,
  stepsUp: boolean,
  policy: Policy,
): { readonly required: number; readonly findings: readonly Finding[] } {
  if (spec.breakGlass !== null && breakGlass !== null) return { required: 0, findings: [] }
  const required = Math.max(approval.required, stepsUp ? 1 : 0)
  if (required === 0 || approval.by.length > 0) return { required, findings: [] }
  const message = `policy ${describePolicy(policy)} asks for an approval, and lets nobody approve`
  const remedy = `ask ${policy.owner.name} to list somebody in grants.approval.by`
  return { required, findings: [highFinding('approval-impossible', 'spec.policy', message, remedy)] }
}
