import { highFinding } from '../finding.ts'
import { verdictOf, type WorkloadVerdict } from '../workload/review.ts'
import type { World } from '../world.ts'
import { enforced } from './policy-finding.ts'
import { receiverOf } from './receiver.ts'

/** The type of the Secrets that the cluster fills with a token of a ServiceAccount. */
export const tokenSecretType = 'kubernetes.io/service-account-token'

/** Names the ServiceAccount whose token such a Secret gets. */
export const tokenAccountAnnotation = 'kubernetes.io/service-account.name'

export interface TokenSecretWrite {
  readonly namespace: string
  /** The ServiceAccount that the Secret names; null: none. */
  readonly account: string | null
  /** The one that it named before; null: none, or the Secret is new. */
  readonly accountBefore: string | null
}

/** A token of a governed ServiceAccount that has no end; one that is there already may stay. */
export function reviewTokenSecret(write: TokenSecretWrite, world: World): WorkloadVerdict {
  const { namespace, account, accountBefore } = write
  if (account === null || account === accountBefore) return { verdict: 'Ungoverned', findings: [] }
  const receiver = receiverOf({ kind: 'ServiceAccount', namespace, name: account }, namespace, world)
  if (receiver === null) return { verdict: 'Ungoverned', findings: [] }
  const findings = receiver.policies.map((policy) =>
    enforced(
      highFinding(
        'token-secret',
        `metadata.annotations["${tokenAccountAnnotation}"]`,
        `the Secret would hold a token of ${receiver.description} that never ends`,
        'ask for a token with an end: kubectl create token, or a projected volume',
      ),
      policy,
    ),
  )
  return { verdict: verdictOf(findings), findings }
}
