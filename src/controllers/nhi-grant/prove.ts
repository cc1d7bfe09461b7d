import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { AccessQuestion, ClusterClient } from '../../cluster/ports.ts'
import { canonicalIdentity } from '../../core/policy/select.ts'
import { breakdown } from '../../core/rbac/covers.ts'
import type { PolicyRule } from '../../core/rbac/rule.ts'
import { rbacUserOf, type RbacUser } from '../../core/rbac/subject.ts'
import type { Instant, Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import { explainAccess, otherAuthorizer } from './explain-access.ts'
import { boundSubjectOf } from './named-in-spec.ts'
import { findHeldBindings, type Deletion } from './objects.ts'

/** What the API server says once the objects of a grant are gone. */
export type Verdict =
  /** There is nothing to ask: the grant only waived checks. */
  | { readonly kind: 'NoAccess' }
  /** It denies everything that was granted. */
  | { readonly kind: 'AccessDenied' }
  /** It still allows some of it, but may only be slow to notice, or have other grants to the same subject to end. */
  | { readonly kind: 'Unsettled' }
  /** Bindings of this very grant are deleted, but finalizers hold them, so that it still allows some of it or soon will. Never a proof. */
  | { readonly kind: 'HeldByFinalizer'; readonly bindings: readonly string[] }
  /** It allows some of it, though not by this grant. The sources are what gives it. */
  | { readonly kind: 'HeldOtherwise'; readonly sources: readonly string[] }

/** What was taken away, and is to be proved gone. */
export interface Removal extends Deletion {
  /** When the last object was acknowledged to be gone. */
  readonly removedAt: Instant
  /** The same by the monotonic clock, by which patience goes. */
  readonly since: Millis
}

export interface Proof {
  readonly verdict: Verdict
  /** When the access was known to be gone; while any is allowed, when the grant's own objects were. */
  readonly goneAt: Instant
  /** When the verdict was reached; an unsettled one holds from the removal on. */
  readonly askedAt: Instant
}

/** For so long after the removal a yes of the API server is not believed; it is asked again at this interval. */
export const patience: Millis = 1_000
/** An end that finalizers hold up is tried again at this interval, for ever. */
export const heldInterval: Millis = 5_000
/** For so long a yes that no binding explains is taken for an authorizer that has not noticed yet. */
const longPatience: Millis = 10_000
/** The API server's authorizer follows its own watch: for so long it is asked again on the spot. */
const haste: Millis = 20
const pauseBetween: Millis = 4
/** Questions per proof; rules that make more atoms than this are sampled, each rule at least once. */
const maxQuestions = 48

/** Asks the API server, one SubjectAccessReview per permission, whether the subject can still do what was granted. */
export async function proveRevocation(
  client: ClusterClient,
  clock: Clock,
  grant: NHIGrant,
  { removedAt, since, foreign, isHeld }: Removal,
): Promise<Proof> {
  if (gaveNoAccess(grant)) return { verdict: { kind: 'NoAccess' }, goneAt: removedAt, askedAt: clock.now() }
  const allowed = await askWhatIsAllowed(client, clock, grant)
  const askedAt = clock.now()
  const waited = clock.monotonic() - since
  // the authorizer may not even have heard of a binding that is there
  const held = allowed.length > 0 || isHeld ? await findHeldBindings(client, grant) : []
  if (held.length > 0) return { verdict: { kind: 'HeldByFinalizer', bindings: held }, goneAt: removedAt, askedAt }
  const unsettled: Proof = { verdict: { kind: 'Unsettled' }, goneAt: removedAt, askedAt: removedAt }
  if (allowed.length > 0 && waited < patience) return unsettled
  const sources = allowed.length > 0 ? await explainAccess(client, allowed) : []
  if (sources.includes(otherAuthorizer) && waited < longPatience) return unsettled
  const all = [...new Set([...foreign, ...sources])].sort()
  if (all.length === 0) return { verdict: { kind: 'AccessDenied' }, goneAt: askedAt, askedAt }
  return { verdict: { kind: 'HeldOtherwise', sources: all }, goneAt: removedAt, askedAt }
}

/** By its own record, which names every object before it is created. */
export function gaveNoAccess({ status }: NHIGrant): boolean {
  return (status?.waive ?? []).length > 0 && (status?.rules ?? []).length === 0 && (status?.objects ?? []).length === 0
}

/** The questions that are answered with yes. */
async function askWhatIsAllowed(
  client: ClusterClient,
  clock: Clock,
  grant: NHIGrant,
): Promise<readonly AccessQuestion[]> {
  const began = clock.monotonic()
  let open = questionsOf(grant)
  for (;;) {
    const answers = await Promise.all(open.map((question) => client.isAllowed(question)))
    open = open.filter((_, index) => answers[index] === true)
    if (open.length === 0 || clock.monotonic() - began >= haste) return open
    await new Promise<void>((resolve) => clock.after(pauseBetween, resolve))
  }
}

/** Whether whom it was given to can do what was granted, by the grant's own record. */
export function questionsOf(grant: NHIGrant): readonly AccessQuestion[] {
  const user = rbacUserOf(canonicalIdentity(boundSubjectOf(grant)))
  const atoms = (grant.status?.rules ?? []).map(breakdown)
  const first = atoms.flatMap((ofRule) => ofRule.slice(0, 1))
  const rest = atoms.flatMap((ofRule) => ofRule.slice(1))
  return [...first, ...rest.slice(0, Math.max(0, maxQuestions - first.length))].map((atom) =>
    questionOf(atom, grant, user),
  )
}

function questionOf(atom: PolicyRule, grant: NHIGrant, user: RbacUser): AccessQuestion {
  const [resource = '', subresource = ''] = (atom.resources?.[0] ?? '').split('/')
  return {
    username: user.username ?? '',
    groups: user.groups,
    namespace: grant.metadata.namespace ?? '',
    verb: atom.verbs[0] ?? '',
    apiGroup: atom.apiGroups?.[0] ?? '',
    resource,
    subresource,
    name: atom.resourceNames?.[0] ?? '',
  }
}
