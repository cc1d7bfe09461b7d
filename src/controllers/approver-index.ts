import type { NHIGrantApproval } from '../api/v1alpha1/objects.ts'
import { grantNamespaceOf } from '../api/v1alpha1/parse-nhi-grant-approval.ts'
import type { Change, ObjectKey } from '../cluster/ports.ts'
import { Groups } from '../core/groups.ts'

/** Which grants somebody has said something of: whether that counts changes with who he is. */
export class ApproverIndex {
  /** By user name, then by the approval's own key. */
  readonly #grants = new Groups<ObjectKey>()

  /** Takes in a change that a cache has seen. */
  apply({ key, before, after }: Change<NHIGrantApproval>): void {
    const id = `${key.namespace}/${key.name}`
    if (before !== null) this.#grants.remove(before.spec.approver ?? '', id)
    if (after?.spec.approver !== undefined) this.#grants.put(after.spec.approver, id, grantKeyOf(after))
  }

  /** Those of that user name; null is nobody's. */
  of(username: string | null): readonly ObjectKey[] {
    return this.#grants.of(username ?? '')
  }
}

/** The key of the grant that it is about. */
export function grantKeyOf({ metadata, spec }: NHIGrantApproval): ObjectKey {
  return { namespace: grantNamespaceOf(metadata.namespace ?? '', spec), name: spec.grant.name }
}
