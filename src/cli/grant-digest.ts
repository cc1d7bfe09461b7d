import { grantDigestOf } from '../api/v1alpha1/digest.ts'
import { parseAccessPolicy } from '../api/v1alpha1/parse-access-policy.ts'
import { resources } from '../cluster/resources.ts'
import { loadConditionEngine } from '../core/cel/engine.ts'
import type { Policy } from '../core/policy/policy.ts'
import type { Decision } from './approval-text.ts'
import type { ClusterSession } from './cluster-session.ts'
import type { GrantRow } from './grant-row.ts'

/** What the approver is shown, and the digest that stands for it. */
export type Looked =
  | { readonly ok: true; readonly digest: string; readonly policy: Policy | null }
  | { readonly ok: false; readonly problem: string }

/**
 * The digest of what is shown, worked out here and not taken from the status: the grant's spec and the policy as it is now, or,
 * of a grant that was issued, as it was issued under. Throws ClusterError.
 */
export async function lookAt(grant: GrantRow, decision: Decision, session: ClusterSession): Promise<Looked> {
  const policy = await readPolicy(grant.policy.name, session)
  const issuedUnder = grant.status.policy?.digest
  const policyDigest = decision === 'Review' ? (issuedUnder ?? policy?.digest) : policy?.digest
  if (policyDigest === undefined)
    return {
      ok: false,
      problem: `policy ${grant.policy.name} does not exist, or cannot be read: nothing can be said of the grant`,
    }
  const digest = grantDigestOf(grant.spec, policyDigest)
  const awaited = grant.status.approvals?.digest
  if (decision !== 'Review' && awaited !== undefined && awaited !== digest) {
    const problem = 'the grant waits for an approval under another version of its policy; look at it again in a moment'
    return { ok: false, problem }
  }
  return { ok: true, digest, policy: policy?.digest === policyDigest ? policy : null }
}

/** null: it does not exist, or is none that Lapse can read. */
async function readPolicy(name: string, { client }: ClusterSession): Promise<Policy | null> {
  await loadConditionEngine()
  const object = await client.get(resources.accessPolicies, { namespace: '', name })
  const parsed = object === null ? null : parseAccessPolicy(object)
  return parsed?.ok === true ? parsed.value : null
}
