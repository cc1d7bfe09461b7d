import { highFinding, type Finding } from '../finding.ts'
import { formatInstant, type Instant, type Millis } from '../time.ts'
import type { RevisionFacts, World } from '../world.ts'
import { describePolicy, type Policy } from './policy.ts'
import { reviewPermissions } from './review-permissions.ts'
import { compareVersions } from './version.ts'

const longestReviewInterval: Millis = 366 * 24 * 3_600_000

/**
 * Whether a version of a policy may take the place of what is there. `before` is null for a new policy. A write that
 * leaves the spec as it is always may: labels and finalizers of an expired policy must stay writable.
 */
export function reviewPolicyChange(
  before: Policy | null,
  after: Policy,
  world: World,
  now: Instant,
): readonly Finding[] {
  if (before !== null && before.digest === after.digest) return []
  return [...reviewVersion(before, after, world), ...reviewExpiry(after, now), ...reviewPermissions(after)]
}

/** Every version on record must be older, so that "newer" is decidable and no version has two meanings. */
function reviewVersion(before: Policy | null, after: Policy, world: World): readonly Finding[] {
  const path = 'spec.version'
  const remedy = `raise spec.version above ${newestOf(before, after.name, world)}`
  if (before !== null && compareVersions(after.version, before.version) <= 0)
    return [
      highFinding(
        'version-not-rising',
        path,
        `the spec changed but its version went from ${before.version} to ${after.version}`,
        remedy,
      ),
    ]
  const conflict = world.revisions(after.name).find((revision) => clashes(revision, after))
  if (conflict === undefined) return []
  const what = conflict.revokedAt === null ? 'accepted before' : `withdrawn at ${formatInstant(conflict.revokedAt)}`
  const message = `version ${conflict.version} of policy ${after.name} was ${what}; ${describePolicy(after)} is not newer`
  return [highFinding('version-not-rising', path, message, remedy)]
}

/** A recorded version stands in the way unless it is older, or is this very content and still in force. */
function clashes(revision: RevisionFacts, after: Policy): boolean {
  if (compareVersions(revision.version, after.version) < 0) return false
  return revision.version !== after.version || revision.digest !== after.digest || revision.revokedAt !== null
}

function newestOf(before: Policy | null, name: string, world: World): string {
  const versions = world.revisions(name).map((revision) => revision.version)
  if (before !== null) versions.push(before.version)
  return versions.sort(compareVersions).at(-1) ?? ''
}

function reviewExpiry(after: Policy, now: Instant): readonly Finding[] {
  const { expiresAt } = after.change
  const path = 'spec.change.expiresAt'
  if (expiresAt <= now)
    return [
      highFinding('policy-expired', path, `${formatInstant(expiresAt)} is past`, 'set the date of the next review'),
    ]
  if (expiresAt - now > longestReviewInterval)
    return [
      highFinding(
        'review-too-late',
        path,
        `${formatInstant(expiresAt)} is more than 366 days ahead`,
        'set the date of the next review within 366 days',
      ),
    ]
  return []
}
