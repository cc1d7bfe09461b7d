import type { NHIGrantApproval } from '../../api/v1alpha1/objects.ts'
import { grantNamespaceOf } from '../../api/v1alpha1/parse-nhi-grant-approval.ts'
import type { Change } from '../../cluster/ports.ts'
import type { ApprovalFacts } from '../../core/grant/approval.ts'
import { Groups } from '../../core/groups.ts'
import { parseInstant } from '../../core/time.ts'

/**
 * What is said of each grant. An approval is for the grant of one UID, in its own namespace; what is said of a grant without one counts
 * in one namespace only.
 */
export class ApprovalIndex {
  /** By the namespace and the UID of the grant, then by the UID of the approval. */
  readonly #known = new Groups<ApprovalFacts>()

  readonly #clusterNamespace: string | null

  /** Where approvals of grants without a namespace are; omitted: nowhere. */
  constructor(clusterNamespace: string | null = null) {
    this.#clusterNamespace = clusterNamespace
  }

  /** Takes in a change that a cache has seen. */
  apply({ before, after }: Change<NHIGrantApproval>): void {
    if (before !== null) this.#known.remove(keyOf(before), before.metadata.uid)
    if (after !== null && this.#counts(after)) this.#known.put(keyOf(after), after.metadata.uid, factsOf(after))
  }

  of(namespace: string, grantUid: string): readonly ApprovalFacts[] {
    return this.#known.of(`${namespace}/${grantUid}`)
  }

  #counts({ metadata, spec }: NHIGrantApproval): boolean {
    return spec.grant.kind !== 'ClusterNHIGrant' || metadata.namespace === this.#clusterNamespace
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
