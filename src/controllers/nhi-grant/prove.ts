import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { AccessQuestion, ClusterClient } from '../../cluster/ports.ts'
import { canonicalIdentity } from '../../core/policy/select.ts'
import type { Identity } from '../../core/identity.ts'
import { breakdown } from '../../core/rbac/covers.ts'
import type { PolicyRule } from '../../core/rbac/rule.ts'
import { rbacUserOf, type RbacUser } from '../../core/rbac/subject.ts'
import type { Instant, Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import { explainAccess } from './explain-access.ts'

/** What the API server says after the removal. */
export interface Proof {
  /** When the access was known to be gone; with a residue, when the grant's own objects were. */
  readonly goneAt: Instant
  readonly verifiedAt: Instant
  /** What still gives some of the access, though not by this grant. Empty: nothing does. */
  readonly residual: readonly string[]
}

/** The API server's authorizer follows its own watch; it is asked again for so long before a yes is believed. */
const patience: Millis = 1_000
const pauseBetween: Millis = 4
/** Questions per proof; rules that make more atoms than this are sampled, each rule at least once. */
const maxQuestions = 48

/**
 * Asks the API server, one SubjectAccessReview per permission, whether the subject can still do what was granted.
 * `removedAt` is when the last object was acknowledged to be gone.
 */
export async function proveRevocation(
  client: ClusterClient,
  clock: Clock,
  grant: NHIGrant,
  subject: Identity,
  removedAt: Instant,
): Promise<Proof> {
  const questions = questionsOf(grant, rbacUserOf(canonicalIdentity(subject)))
  let open = questions
  for (;;) {
    const answers = await Promise.all(open.map((question) => client.isAllowed(question)))
    open = open.filter((_, index) => answers[index] === true)
    const now = clock.now()
    if (open.length === 0) return { goneAt: now, verifiedAt: now, residual: [] }
    if (now - removedAt >= patience) {
      const residual = await explainAccess(client, open)
      return { goneAt: removedAt, verifiedAt: now, residual }
    }
    await new Promise<void>((resolve) => clock.after(pauseBetween, resolve))
  }
}

function questionsOf(grant: NHIGrant, user: RbacUser): readonly AccessQuestion[] {
  const rules = grant.status?.rules ?? []
  const first = rules.flatMap((rule) => breakdown(rule).slice(0, 1))
  const rest = rules.flatMap((rule) => breakdown(rule).slice(1))
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
