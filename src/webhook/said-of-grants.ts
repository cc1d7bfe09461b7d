import { parseNHIGrantApproval, type ParsedApproval } from '../api/v1alpha1/parse-nhi-grant-approval.ts'
import type { Change } from '../cluster/ports.ts'
import { Groups } from '../core/groups.ts'

/** What somebody says of a grant as it is, as one text: the same for all NHIGrantApprovals of which no more than one counts. */
export type Saying = string

export function sayingOf({ namespace, spec }: Pick<ParsedApproval, 'namespace' | 'spec'>): Saying {
  const { grant, grantDigest, decision, approver = null } = spec
  const { kind = 'NHIGrant', uid } = grant
  return JSON.stringify([namespace, kind, uid, grantDigest, decision, approver])
}

/** All that is kept of a stored NHIGrantApproval. null: it was not stamped, or cannot be read, and counts for nothing. */
export function readSaying(object: unknown): Saying | null {
  const parsed = parseNHIGrantApproval(object)
  return parsed.ok && parsed.value.spec.approver !== undefined ? sayingOf(parsed.value) : null
}

/** What was said of grants, and by which NHIGrantApproval. */
export class SaidOfGrants {
  /** Names: there may be several where some came at once, and any number where they came while no webhook answered. */
  readonly #known = new Groups<string>()

  /** Takes in a change that a cache has seen. */
  apply({ key, before, after }: Change<Saying | null>): void {
    if (before === after) return
    if (before !== null) this.#known.remove(before, key.name)
    if (after !== null) this.#known.put(after, key.name, key.name)
  }

  /** The name of one that says so, in the same namespace; null: none is known. */
  nameOf(saying: Saying): string | null {
    const [first = null] = this.#known.of(saying)
    return first
  }
}
