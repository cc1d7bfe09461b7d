import type { Finding } from '../finding.ts'
import { describePolicy } from '../policy/policy.ts'
import { governs } from '../policy/select.ts'
import type { Labels } from '../selector.ts'
import { verdictOf, type PolicyFinding, type WorkloadVerdict } from '../workload/review.ts'
import type { World } from '../world.ts'
import { reviewHeld } from './held-standing.ts'
import { advisory, judgesStanding } from './policy-finding.ts'

/** What decides who an account is: to policies, and to clouds. */
export interface AccountMarks {
  readonly labels: Labels
  readonly annotations: Labels
}

export interface AccountWrite {
  readonly namespace: string
  readonly name: string
  /** null: it is being created. */
  readonly before: AccountMarks | null
  readonly after: AccountMarks
}

/** Annotations by which a cloud takes a ServiceAccount for an identity of its own, whose access no cluster knows. */
export const cloudIdentityAnnotations = [
  'eks.amazonaws.com/role-arn',
  'iam.gke.io/gcp-service-account',
  'azure.workload.identity/client-id',
] as const

/**
 * What a write of a ServiceAccount changes about who governs it and what it is elsewhere. It refuses nothing: labels are
 * those of its owner, and what a cloud gives is for the cloud's own policies.
 */
export function reviewServiceAccount(write: AccountWrite, world: World): WorkloadVerdict {
  const { namespace, name } = write
  const kind = 'ServiceAccount'
  const findings = world.policies().flatMap((policy) => {
    const isGoverned = (marks: AccountMarks | null) => marks !== null && governsWith(marks, write, world)(policy)
    const isAfter = isGoverned(write.after)
    const isBefore = isGoverned(write.before)
    const ended = isBefore && !isAfter ? [governanceEnded(describePolicy(policy))] : []
    const begun = isAfter && !isBefore ? reviewHeld({ kind, namespace, name }, policy, world, 'metadata.labels') : []
    const clouds = isAfter && judgesStanding(policy) ? cloudIdentities(write) : []
    return [...ended, ...begun, ...clouds].map((finding): PolicyFinding => advisory(finding, policy))
  })
  return { verdict: verdictOf(findings), findings }
}

function governsWith({ labels }: AccountMarks, { namespace, name }: AccountWrite, world: World) {
  const relabelled = {
    namespaceLabels: (asked: string) => world.namespaceLabels(asked),
    serviceAccount: () => ({ uid: '', labels, automount: null }),
  }
  return (policy: Parameters<typeof governs>[0]) =>
    governs(policy, { kind: 'ServiceAccount', namespace, name }, relabelled)
}

function governanceEnded(policy: string): Finding {
  return {
    check: 'governance-ended',
    severity: 'High',
    path: 'metadata.labels',
    message: `with these labels policy ${policy} no longer governs the ServiceAccount`,
    remedy: 'keep the labels, or have the policy select the account by name',
  }
}

function cloudIdentities({ before, after }: AccountWrite): readonly Finding[] {
  return cloudIdentityAnnotations.flatMap((key) => {
    const identity = valueOf(after, key)
    if (identity === '' || (before !== null && valueOf(before, key) === identity)) return []
    return [
      {
        check: 'cloud-identity',
        severity: 'Medium',
        path: `metadata.annotations["${key}"]`,
        message: `Pods of this ServiceAccount are ${identity} to the cloud, with whatever that may do`,
        remedy: "see to it that the cloud's role gives no more than the policy means to",
      } as const,
    ]
  })
}

function valueOf({ annotations }: AccountMarks, key: string): string {
  return Object.hasOwn(annotations, key) ? (annotations[key] ?? '') : ''
}
