import type { CompiledCondition } from '../cel/condition.ts'
import type { CheckId } from '../check-catalogue.ts'
import type { Millis, Instant } from '../time.ts'
import type { LabelSelector } from '../selector.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { PodSecurityLevel } from '../workload/pod-security.ts'
import type { TokenCheckId } from '../workload/token.ts'
import type { CapabilityId } from '../rbac/capability.ts'

/** Something in CEL that must be true. */
export interface PolicyCondition {
  readonly name: string
  readonly condition: CompiledCondition
  /** What a refusal says; null: the name of the condition. */
  readonly message: string | null
}

/** A condition of grants, and what becomes of a grant for which it does not hold. */
export interface GrantCondition extends PolicyCondition {
  readonly otherwise:
    | { readonly kind: 'Deny' }
    /** Issued once it was approved. */
    | { readonly kind: 'StepUp' }
    /** Less is granted; null: as long, or as much, as without it. */
    | {
        readonly kind: 'Constrain'
        readonly maxDuration: Millis | null
        readonly permissions: readonly string[] | null
      }
}

/** One version of an AccessPolicy, parsed: the ceiling on what the identities it governs may ever hold. */
export interface Policy {
  readonly name: string
  /** Semantic version; rises with every change of the spec. */
  readonly version: string
  /** `sha256:` and the hex SHA-256 of the spec's RFC 8785 form. */
  readonly digest: string
  readonly owner: { readonly name: string; readonly contact: string | null }
  readonly change: PolicyChange
  readonly subjects: readonly SubjectRule[]
  /** Namespaces in which grants may apply; null: none. */
  readonly scope: LabelSelector | null
  /** Whether grants may apply to the whole cluster. */
  readonly clusterScope: boolean
  readonly permissions: readonly PermissionSet[]
  /** null: the policy issues no grants. */
  readonly grants: GrantTerms | null
  /** null: the policy judges no workloads. */
  readonly workloads: WorkloadTerms | null
}

export interface PolicyChange {
  readonly request: string
  readonly reason: string
  readonly approvedBy: readonly string[]
  /** From this instant on the policy issues nothing, and nothing that it has issued lasts longer. */
  readonly expiresAt: Instant
}

export type SubjectRule =
  | {
      readonly kind: 'ServiceAccount'
      readonly namespaceSelector: LabelSelector | null
      readonly selector: LabelSelector | null
      readonly names: readonly string[]
    }
  | { readonly kind: 'User' | 'Group'; readonly names: readonly string[] }

/** A named set of permissions: rules of its own, or an existing ClusterRole that an admin let the operator bind. */
export type PermissionSet =
  | { readonly kind: 'Rules'; readonly name: string; readonly rules: readonly PolicyRule[] }
  | { readonly kind: 'ClusterRole'; readonly name: string; readonly clusterRole: string }

export type RequesterRule =
  | { readonly kind: 'Self' }
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string }

/** Somebody by an exact name; for `Self` there is none but the subject. */
export type WhoRule = Exclude<RequesterRule, { readonly kind: 'Self' }>

export interface ApprovalTerms {
  /** How many must approve every grant. */
  readonly required: number
  /** Empty: nobody may. */
  readonly by: readonly WhoRule[]
  /** How long a grant waits for them, from its creation. */
  readonly within: Millis
}

export interface BreakGlassTerms {
  readonly requesters: readonly RequesterRule[]
  readonly maxDuration: Millis
  /** How long after its end one must have been reviewed. */
  readonly reviewWithin: Millis
  readonly reviewers: readonly WhoRule[]
}

export interface GrantTerms {
  readonly maxDuration: Millis
  readonly defaultDuration: Millis
  readonly maxActivePerSubject: number
  readonly requesters: readonly RequesterRule[]
  /** Checks that grants may waive. */
  readonly waivable: readonly CheckId[]
  /** All of them must hold for a grant to be created, to be issued and to last, as far as they do not say otherwise. */
  readonly conditions: readonly GrantCondition[]
  readonly approval: ApprovalTerms
  /** null: there are no grants for emergencies. */
  readonly breakGlass: BreakGlassTerms | null
  /** Kinds of objects that may end a grant by an expression. */
  readonly until: readonly { readonly apiVersion: string; readonly kind: string }[]
  /** null: nothing else happens. */
  readonly onRevoke: 'EvictPods' | null
  /** How long an ended grant is kept; null: for ever. */
  readonly retention: Millis | null
}

export type Enforcement = 'Deny' | 'Warn' | 'Audit'

export interface WorkloadTerms {
  readonly enforcement: Enforcement
  /** null: pod settings are not judged. `version` is `latest` or `vX.Y`. */
  readonly podSecurity: { readonly level: PodSecurityLevel; readonly version: string } | null
  readonly forbid: readonly CapabilityId[]
  /** Further checks that apply. */
  readonly checks: readonly TokenCheckId[]
  /** The longest that a projected token may live; null: that is not judged. */
  readonly maxTokenLifetime: Millis | null
  /** What may be held by other bindings than those of grants, wherever it is bound; null: standing access is not judged. */
  readonly standing: readonly PolicyRule[] | null
  /** null: pins are not asked for; one that is there must still be right. */
  readonly pin: { readonly required: boolean; readonly grace: Millis } | null
  /** All of them must hold for the object that makes the pods. */
  readonly conditions: readonly PolicyCondition[]
}

/** How messages name a version of a policy: `payments-deploy@1.4.0`. */
export function describePolicy(policy: Pick<Policy, 'name' | 'version'>): string {
  return `${policy.name}@${policy.version}`
}
