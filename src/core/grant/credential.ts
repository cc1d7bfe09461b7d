import { highFinding, type Finding } from '../finding.ts'
import { formatDuration, type Instant, type Millis } from '../time.ts'
import type { World } from '../world.ts'
import type { GrantSpec } from './grant.ts'

/** The API server issues no token for less. */
export const shortestToken: Millis = 600_000
/** Between the decision and the token lie the writes of everything that carries the grant. */
const timeToIssue: Millis = 10_000

/** The grant that asks for one, as far as it is looked at. uid null: it is not created yet. */
interface AskingGrant {
  readonly uid: string | null
  readonly namespace: string
  readonly spec: Pick<GrantSpec, 'credential' | 'notBefore'>
}

/** Name of the ServiceAccount that a grant with a credential gives its access to. */
export function ownAccountOf(uid: string): string {
  return `lapse-${uid}`
}

/** What speaks against a token of the grant's own that would be issued at `now` and be over at `notAfter`. */
export function reviewCredential(
  { namespace, spec }: AskingGrant,
  world: World,
  notAfter: Instant,
  now: Instant,
): readonly Finding[] {
  if (spec.credential === null) return []
  const opens = Math.max(now, spec.notBefore ?? now)
  return [...reviewPlace(namespace, world), ...reviewLength(notAfter - opens)]
}

function reviewPlace(namespace: string, { credentialNamespaces }: World): readonly Finding[] {
  if (credentialNamespaces?.has(namespace) === true) return []
  const message =
    credentialNamespaces === null
      ? `it is not known whether the operator may issue credentials in namespace ${namespace}`
      : `the operator issues no credentials in namespace ${namespace}`
  const remedy = 'whoever runs lapse lists the namespace in credentials.namespaces of its chart'
  return [highFinding('credential-namespace', 'spec.credential', message, remedy)]
}

function reviewLength(left: Millis): readonly Finding[] {
  if (left >= shortestToken + timeToIssue) return []
  const lasts = formatDuration(Math.max(0, Math.floor(left / 1_000) * 1_000))
  const message = `a credential lasts at least ${formatDuration(shortestToken)} and takes seconds to issue, and ${lasts} would be left`
  return [highFinding('credential-too-short', 'spec.credential', message, 'ask for 11m or more, or for no credential')]
}

/**
 * Whether somebody has put another account under the name of the grant's own, which its bindings would give the access to;
 * null: nobody has. One that is not there gives nothing.
 */
export function whyNotItsIdentity(
  { uid, namespace }: AskingGrant,
  accountUid: string | undefined,
  world: World,
): string | null {
  if (accountUid === undefined) return null
  const name = ownAccountOf(uid ?? '')
  const account = world.serviceAccount(namespace, name)
  if (account === null || account.uid === accountUid) return null
  return `its own ServiceAccount ${namespace}/${name} was deleted and created again`
}
