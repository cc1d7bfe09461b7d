import type { Problem } from '../problem.ts'
import { formatInstant, type Instant } from '../time.ts'
import { describePolicy, type Policy } from './policy.ts'
import { reviewPermissions } from './review-permissions.ts'
import { compareVersions } from './version.ts'

/** One recorded version of a policy, with what carries its permission sets. */
export interface RecordedVersion {
  readonly version: string
  readonly digest: string
  readonly supersededAt: Instant | null
  readonly revokedAt: Instant | null
  /** ClusterRole of each permission set, by the set's name. */
  readonly roles: ReadonlyMap<string, string>
}

export type PolicyPlan =
  /** The policy is gone: the roles of these versions go, then they are marked withdrawn. */
  | { readonly kind: 'Withdraw'; readonly versions: readonly string[] }
  /** It cannot be in force. Grants of an earlier version end all the same: what they stood on is not what is written. */
  | { readonly kind: 'Reject'; readonly reason: string; readonly message: string }
  | {
      readonly kind: 'Accept'
      readonly policy: Policy
      /** Whether the version is new and has to be recorded first. */
      readonly record: boolean
      /** Older versions still in force: their roles go first, then they are marked superseded. */
      readonly supersede: readonly string[]
      /** Sets of rules that have no ClusterRole on record yet. */
      readonly setsWithoutRole: readonly string[]
      readonly expired: boolean
      /** When the policy stops issuing; null: it has. */
      readonly lookAgainAt: Instant | null
    }

/** What must happen to a policy and its recorded versions. `policy` null: there is none of that name. */
export function planPolicy(
  policy:
    | { readonly ok: true; readonly value: Policy }
    | { readonly ok: false; readonly problems: readonly Problem[] }
    | null,
  recorded: readonly RecordedVersion[],
  now: Instant,
): PolicyPlan {
  if (policy === null)
    return {
      kind: 'Withdraw',
      versions: recorded.filter((known) => known.revokedAt === null).map((known) => known.version),
    }
  if (!policy.ok)
    return reject('Invalid', policy.problems.map((problem) => `${problem.path}: ${problem.message}`).join('; '))
  return planVersion(policy.value, recorded, now)
}

function planVersion(policy: Policy, recorded: readonly RecordedVersion[], now: Instant): PolicyPlan {
  const own = recorded.find((known) => known.version === policy.version)
  const newer = recorded.find((known) => compareVersions(known.version, policy.version) > 0)
  if (newer !== undefined)
    return reject(
      'VersionNotRising',
      `version ${newer.version} is on record and newer than ${policy.version}; raise spec.version above it`,
    )
  if (own !== undefined && own.revokedAt !== null)
    return reject(
      'Withdrawn',
      `${describePolicy(policy)} was withdrawn at ${formatInstant(own.revokedAt)}; raise spec.version`,
    )
  if (own !== undefined && own.digest !== policy.digest)
    return reject('VersionReused', `${describePolicy(policy)} is on record with other content; raise spec.version`)
  const [forbidden] = reviewPermissions(policy)
  if (forbidden !== undefined) return reject('HandsOnAccess', `${forbidden.path} ${forbidden.message}`)
  const expired = now >= policy.change.expiresAt
  return {
    kind: 'Accept',
    policy,
    record: own === undefined,
    supersede: recorded
      .filter((known) => known !== own && known.supersededAt === null && known.revokedAt === null)
      .map((known) => known.version),
    setsWithoutRole: policy.permissions
      .filter((set) => set.kind === 'Rules' && own?.roles.has(set.name) !== true)
      .map((set) => set.name),
    expired,
    lookAgainAt: expired ? null : policy.change.expiresAt,
  }
}

function reject(reason: string, message: string): PolicyPlan {
  return { kind: 'Reject', reason, message }
}
