import { highFinding } from '../finding.ts'
import type { Policy } from '../policy/policy.ts'
import type { BindingObject, RbacView } from '../rbac/objects.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { RbacSubject } from '../rbac/subject.ts'
import { strictestOnce, verdictOf, type PolicyFinding, type Verdict } from '../workload/review.ts'
import type { World } from '../world.ts'
import type { AccessWrite } from './access-write.ts'
import { beyond, describeBeyond, mostDescribed, workOfReview, type Work } from './beyond.ts'
import { bindingNotes } from './binding-notes.ts'
import { handedBy, type Handed } from './handed.ts'
import { heldBefore, namesUser } from './held-before.ts'
import { advisory, enforced, judgesStanding } from './policy-finding.ts'
import { receiverOf, type Receiver } from './receiver.ts'
import { describeWay, remedyOf, wayToGrant, type WayToGrant } from './way-to-grant.ts'

export interface AccessVerdict {
  readonly verdict: Verdict
  readonly findings: readonly PolicyFinding[]
  /** What the author of a refused write can do beside leaving it, one line each. */
  readonly next: readonly string[]
  /** ServiceAccounts that the bindings name and that are not there, or not there yet. */
  readonly missingAccounts: readonly { readonly namespace: string; readonly name: string }[]
}

interface Reviewed {
  readonly finding: PolicyFinding
  readonly way: WayToGrant | null
}

/** What a review asks about every subject. */
interface Question {
  readonly write: AccessWrite
  readonly world: World
  readonly held: RbacView
  readonly work: Work
}

/** What telling of one finding costs. */
const costOfFinding = 2_000

/** Findings that refuse a write, after which no more are looked for: a role can be bound thousands of times. */
const mostRefusals = 100

/**
 * What a role or binding would give governed subjects for good, beyond what their policies list as `standing`. Only what
 * the write adds counts: what a subject already holds in the same place, by bindings of `held`, is for scans to report and
 * breaks no update. Where nothing exists yet, as among manifests, `held` is an empty view.
 */
export function reviewAccess(write: AccessWrite, world: World, held: RbacView = world.rbac): AccessVerdict {
  if (!world.policies().some(judgesStanding)) return conclude([], [])
  const question = { write, world, held, work: workOfReview() }
  const receivers: Receiver[] = []
  const reviewed: Reviewed[] = []
  let refusals = 0
  for (const { handed, subject, index } of eachSubject(write, world)) {
    const receiver = receiverOf(subject, handed.binding.namespace, world)
    if (receiver === null) continue
    receivers.push(receiver)
    const gifts = reviewGift(receiver, handed, handed.path ?? `subjects[${index}]`, question)
    const notes = write.kind === 'Binding' ? notesOn(receiver, handed.binding, index) : []
    reviewed.push(...gifts, ...notes)
    refusals += gifts.filter(({ finding }) => finding.enforcement === 'Deny').length
    question.work.left -= costOfFinding * (gifts.length + notes.length)
    if (question.work.left < 0) reviewed.push(tooMuch(receiver))
    if (question.work.left < 0 || refusals >= mostRefusals) break
  }
  return conclude(reviewed, receivers)
}

/** Whom the write gives something, each once for a binding, however often it is named. */
function* eachSubject(
  write: AccessWrite,
  world: World,
): Generator<{ handed: Handed; subject: RbacSubject; index: number }> {
  for (const handed of handedBy(write, world.rbac, world.grantBindings())) {
    const seen = new Set<string>()
    for (const [index, subject] of handed.binding.subjects.entries()) {
      const key = `${subject.kind} ${subject.namespace ?? ''} ${subject.name}`
      if (!seen.has(key)) yield { handed, subject, index }
      seen.add(key)
    }
  }
}

/** What was not looked at is not allowed, whatever the policies say that were. */
function tooMuch({ description, policies: [policy] }: Receiver): Reviewed {
  const message = `${description} and those after it were not judged: this gives too many subjects too much at once`
  const finding = highFinding('standing-access', 'subjects', message, 'split it, or name groups and fewer permissions')
  const { name, version, owner } = policy as Policy
  return { finding: { ...finding, enforcement: 'Deny', policy: { name, version, owner } }, way: null }
}

function conclude(reviewed: readonly Reviewed[], receivers: readonly Receiver[]): AccessVerdict {
  const findings = strictestOnce(reviewed.map(({ finding }) => finding))
  const ways = reviewed.flatMap(({ way }) => (way === null ? [] : [describeWay(way)]))
  return {
    verdict: receivers.length === 0 ? 'Ungoverned' : verdictOf(findings),
    findings,
    next: [...new Set(ways)],
    missingAccounts: receivers.flatMap(({ identity, isMissing }) =>
      isMissing && identity.kind === 'ServiceAccount' ? [{ namespace: identity.namespace, name: identity.name }] : [],
    ),
  }
}

function notesOn(receiver: Receiver, binding: BindingObject, index: number): readonly Reviewed[] {
  const notes = bindingNotes(receiver, binding, index)
  return receiver.policies.flatMap((policy) => notes.map((note) => ({ finding: advisory(note, policy), way: null })))
}

function reviewGift(receiver: Receiver, handed: Handed, path: string, question: Question): readonly Reviewed[] {
  const { binding, rules } = handed
  if (rules === null) return reviewUnknown(receiver, binding, question.write)
  const { write, world, held, work } = question
  let before: readonly PolicyRule[] | null = null
  return receiver.policies.flatMap((policy) => {
    const listed = policy.workloads?.standing ?? []
    if (work.left < 0 || beyond(listed, rules, work).kind === 'Nothing') return []
    before ??= heldBefore(receiver.user, binding.namespace ?? '', write, held, world.grantBindings())
    const found = beyond([...listed, ...before], rules, work)
    if (found.kind === 'Nothing') return []
    const missing = found.kind === 'Permissions' && found.missing.length <= mostDescribed ? found.missing : null
    const way = missing === null ? null : wayToGrant(policy, receiver.identity, binding.namespace, missing, world)
    const message = `${receiver.description} would hold for good ${placeOf(handed, write)}: ${describeBeyond(found)}`
    const finding = highFinding('standing-access', path, message, remedyOf(policy, way))
    return [{ finding: enforced(finding, policy), way }]
  })
}

/** What nobody can know is not given. A subject that the binding names already gains nothing by its update. */
function reviewUnknown(receiver: Receiver, binding: BindingObject, write: AccessWrite): readonly Reviewed[] {
  if (write.kind === 'Binding' && write.before !== null && namesUser(write.before, receiver.user)) return []
  const { kind, name } = binding.roleRef
  const message = `${kind} ${name} does not exist: what it will give ${receiver.description} cannot be judged`
  const finding = highFinding('standing-access', 'roleRef.name', message, 'create the role first')
  return receiver.policies.map((policy: Policy) => ({ finding: enforced(finding, policy), way: null }))
}

/** `in payments`; of what a role gives, by which binding: `in payments (RoleBinding payments/legacy → Role reader)`. */
function placeOf({ binding }: Handed, write: AccessWrite): string {
  const { namespace, name, roleRef } = binding
  const place = namespace === null ? 'everywhere' : `in ${namespace}`
  if (write.kind === 'Binding') return place
  const through = namespace === null ? `ClusterRoleBinding ${name}` : `RoleBinding ${namespace}/${name}`
  return `${place} (${through} → ${roleRef.kind} ${roleRef.name})`
}
