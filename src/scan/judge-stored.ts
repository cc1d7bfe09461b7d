import { ConditionBudget } from '../core/cel/budget.ts'
import type { KubeObject } from '../cluster/ports.ts'
import { reviewAccess } from '../core/access/review-access.ts'
import { serviceAccountOf } from '../core/identity.ts'
import type { BindingObject } from '../core/rbac/objects.ts'
import { RbacIndex } from '../core/rbac/rbac-index.ts'
import { readBinding } from '../core/rbac/read-objects.ts'
import { subjectKeyOf, type SubjectKey } from '../core/rbac/subject.ts'
import type { Instant } from '../core/time.ts'
import { isCounted, reviewWorkload, type PolicyFinding } from '../core/workload/review.ts'
import { readWorkload } from '../core/workload/workload.ts'
import type { World } from '../core/world.ts'

/** What is said of a stored object. */
export type StoredVerdict =
  /** It has ended, or makes no pods any more; a binding that concerns nobody whose standing access is judged. */
  | { readonly kind: 'Over' }
  /** No policy that judges workloads governs it. */
  | { readonly kind: 'Ungoverned' }
  /** `findings`: what its owner was not found to have, and no grant waives. Empty: nothing is wrong with it that is not wrong with its owner. */
  | { readonly kind: 'Judged'; readonly findings: readonly PolicyFinding[] }
  | { readonly kind: 'Unreadable'; readonly message: string }

/**
 * Judges stored objects as the webhook would if they came now. Owners must come before what they own: a breach that a
 * Deployment's template has is told once, and not again for its ReplicaSets and Pods.
 */
export class StoredJudge {
  readonly #world: World
  readonly #now: Instant
  /** What was told of an object or of its owners, by UID; see breachOf. */
  readonly #told = new Map<string, ReadonlySet<string>>()

  constructor(world: World, now: Instant) {
    this.#world = world
    this.#now = now
  }

  judge(object: KubeObject): StoredVerdict {
    if (isOver(object)) return { kind: 'Over' }
    const reading = readWorkload(object)
    if (!reading.ok) return { kind: 'Unreadable', message: reading.problems.map(({ path }) => path).join(', ') }
    if (reading.workload === null) return { kind: 'Over' }
    const { verdict, findings: all } = reviewWorkload(
      reading.workload,
      object.metadata.namespace ?? '',
      this.#world,
      this.#now,
      { object, oldObject: null, request: null, budget: new ConditionBudget() },
    )
    if (verdict === 'Ungoverned') return { kind: 'Ungoverned' }
    const findings = all.filter(isCounted)
    const known = this.#told.get(controllerOf(object)) ?? new Set()
    const breaches = findings.map((finding) => breachOf(finding, reading.workload.podPath))
    if (findings.length > 0) this.#told.set(object.metadata.uid, new Set([...known, ...breaches]))
    return { kind: 'Judged', findings: findings.filter((_, index) => !known.has(breaches[index] ?? '')) }
  }
}

const nothing = new RbacIndex()

/** What a binding gives for good beyond what policies list as `standing`: what would be refused if it came now. */
export function judgeStoredBinding(object: KubeObject, world: World): StoredVerdict {
  const after = readBinding(object.kind === 'RoleBinding' ? 'RoleBinding' : 'ClusterRoleBinding', object)
  if (isOfKubernetes(object, after)) return { kind: 'Over' }
  const { verdict, findings } = reviewAccess({ kind: 'Binding', before: null, after }, world, nothing)
  return verdict === 'Ungoverned' ? { kind: 'Over' } : { kind: 'Judged', findings: findings.filter(isCounted) }
}

/**
 * What the API server itself keeps, for discovery and its own components: it would be found under every policy. Anybody who
 * writes bindings may set that name and label, so one that names somebody else as well is judged like any other.
 */
function isOfKubernetes({ metadata: { name, labels } }: KubeObject, { namespace, subjects }: BindingObject): boolean {
  const isBootstrapped = name.startsWith('system:') && labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults'
  return isBootstrapped && subjects.every((subject) => isComponent(subjectKeyOf(subject, namespace ?? '')))
}

/** Whether it is Kubernetes itself, everybody alike or nobody, never accounts that somebody chose. */
function isComponent(subject: SubjectKey | null): boolean {
  if (subject === null) return true
  const name = subject.slice(subject.indexOf(':') + 1)
  const account = subject.startsWith('User:') ? serviceAccountOf(name) : null
  if (account !== null) return account.namespace === 'kube-system'
  return name.startsWith('system:') && !name.startsWith('system:serviceaccounts:')
}

/** The same for a field of a template and for that field of what was made from it; what concerns no field goes by its words. */
function breachOf({ policy, check, path, message }: PolicyFinding, podPath: string): string {
  if (path === '') return `${policy.name} ${check} ${message}`
  const template = podPath.slice(0, -'spec'.length)
  return `${policy.name} ${check} ${path.startsWith(template) ? path.slice(template.length) : path}`
}

/** The UID of the object that made it; empty: nobody did. */
function controllerOf({ metadata }: KubeObject): string {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? ''
}

interface Status {
  readonly phase?: string
  readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] | null
}

/** By kind, whether an object that is not being deleted makes no pods any more. Kinds that are not here always may. */
const overWhen: Readonly<Record<string, (object: KubeObject) => boolean>> = {
  Pod: (pod) => ['Succeeded', 'Failed'].includes(statusOf(pod).phase ?? ''),
  Job: (job) =>
    (statusOf(job).conditions ?? []).some(
      ({ type, status }) => status === 'True' && /^(Complete|Failed)$/.test(type ?? ''),
    ),
  // of an old revision: it comes back by an update of its Deployment, which is judged
  ReplicaSet: (set) => controllerOf(set) !== '' && (set['spec'] as { readonly replicas?: number }).replicas === 0,
}

function isOver(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined || overWhen[object.kind ?? '']?.(object) === true
}

function statusOf(object: KubeObject): Status {
  return object['status'] ?? {}
}
