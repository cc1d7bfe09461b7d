import type { NHIGrantApproval } from '../api/v1alpha1/objects.ts'
import { grantNamespaceOf } from '../api/v1alpha1/parse-nhi-grant-approval.ts'
import type { Change, ObjectKey } from '../cluster/ports.ts'

/** Which grants somebody has said something of: whether that counts changes with who he is. */
export class ApproverIndex {
  /** By user name, then by the approval's own key. Nothing is kept of who has said nothing. */
  readonly #grants = new Map<string, Map<string, ObjectKey>>()

  /** Takes in a change that a cache has seen. */
  apply({ key, before, after }: Change<NHIGrantApproval>): void {
    const id = `${key.namespace}/${key.name}`
    if (before !== null) this.#remove(before, id)
    if (after !== null) this.#add(after, id)
  }

  /** Those of that user name; null is nobody's. */
  of(username: string | null): readonly ObjectKey[] {
    return [...(this.#grants.get(username ?? '')?.values() ?? [])]
  }

  #add(approval: NHIGrantApproval, id: string): void {
    const { approver } = approval.spec
    if (approver === undefined) return
    const others = this.#grants.get(approver) ?? new Map<string, ObjectKey>()
    this.#grants.set(approver, others.set(id, grantKeyOf(approval)))
  }

  #remove({ spec }: NHIGrantApproval, id: string): void {
    const approver = spec.approver ?? ''
    const others = this.#grants.get(approver)
    others?.delete(id)
    if (others?.size === 0) this.#grants.delete(approver)
  }
}

/** The key of the grant that it is about. */
export function grantKeyOf({ metadata, spec }: NHIGrantApproval): ObjectKey {
  return { namespace: grantNamespaceOf(metadata.namespace ?? '', spec), name: spec.grant.name }
}
