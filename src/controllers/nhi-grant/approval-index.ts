import type { NHIGrantApproval } from '../../api/v1alpha1/objects.ts'
import { grantNamespaceOf } from '../../api/v1alpha1/parse-nhi-grant-approval.ts'
import type { Change } from '../../cluster/ports.ts'
import type { ApprovalFacts } from '../../core/grant/approval.ts'
import { parseInstant } from '../../core/time.ts'

/**
 * What is said of each grant. An approval is for the grant of one UID, in its own namespace; what is said of a grant without one counts
 * in one namespace only.
 */
export class ApprovalIndex {
  /** By the namespace and the UID of the grant, then by the UID of the approval. */
  readonly #known = new Map<string, Map<string, ApprovalFacts>>()

  readonly #clusterNamespace: string | null

  /** Where approvals of grants without a namespace are; omitted: nowhere. */
  constructor(clusterNamespace: string | null = null) {
    this.#clusterNamespace = clusterNamespace
  }

  /** Takes in a change that a cache has seen. */
  apply({ before, after }: Change<NHIGrantApproval>): void {
    if (before !== null) this.#remove(before)
    if (after !== null && this.#counts(after)) this.#add(after)
  }

  of(namespace: string, grantUid: string): readonly ApprovalFacts[] {
    return [...(this.#known.get(`${namespace}/${grantUid}`)?.values() ?? [])]
  }

  #counts({ metadata, spec }: NHIGrantApproval): boolean {
    return spec.grant.kind !== 'ClusterNHIGrant' || metadata.namespace === this.#clusterNamespace
  }

  #add(approval: NHIGrantApproval): void {
    const key = keyOf(approval)
    const others = this.#known.get(key) ?? new Map<string, ApprovalFacts>()
    this.#known.set(key, others.set(approval.metadata.uid, factsOf(approval)))
  }

  #remove(approval: NHIGrantApproval): void {
    const key = keyOf(approval)
    const others = this.#known.get(key)
    others?.delete(approval.metadata.uid)
    if (others?.size === 0) this.#known.delete(key)
  }
}

function keyOf({ metadata, spec }: NHIGrantApproval): string {
  return `${grantNamespaceOf(metadata.namespace ?? '', spec)}/${spec.grant.uid}`
}

function factsOf({ metadata, spec }: NHIGrantApproval): ApprovalFacts {
  return {
    name: metadata.name,
    grantDigest: spec.grantDigest,
    decision: spec.decision,
    approver: spec.approver ?? null,
    reason: spec.reason,
    createdAt: parseInstant(metadata.creationTimestamp ?? '') ?? 0,
  }
}
