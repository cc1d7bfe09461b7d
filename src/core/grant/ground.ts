import { describeIdentity, type Identity } from '../identity.ts'
import { describePolicy } from '../policy/policy.ts'
import { canonicalIdentity, governs } from '../policy/select.ts'
import { selects } from '../selector.ts'
import type { World } from '../world.ts'
import { isForCluster } from './cluster-grant.ts'

/** What an issued grant stands on: what it names, and what of that is on its record. */
export interface GrantGround {
  /** Empty: it is for the whole cluster. */
  readonly namespace: string
  readonly policy: string
  readonly subject: Identity
  readonly policyDigest: string
  /** null: the subject is no ServiceAccount. */
  readonly subjectUid: string | null
}

/** Why an issued grant has nothing to stand on any more; null: it has. Unknown is no. */
export function lostGround(ground: GrantGround, world: World): string | null {
  const policy = world.policy(ground.policy)
  if (policy === null) return `policy ${ground.policy} was withdrawn`
  if (policy.digest !== ground.policyDigest) return `its policy version was superseded by ${describePolicy(policy)}`
  const subject = canonicalIdentity(ground.subject)
  const suspension = world.suspension(subject)
  if (suspension !== null) return `${describeIdentity(subject)} is suspended: ${suspension.reason}`
  if (subject.kind === 'ServiceAccount') {
    const account = world.serviceAccount(subject.namespace, subject.name)
    if (account === null) return `${describeIdentity(subject)} was deleted`
    if (account.uid !== ground.subjectUid) return `${describeIdentity(subject)} was deleted and created again`
  }
  if (!governs(policy, subject, world))
    return `policy ${describePolicy(policy)} no longer governs ${describeIdentity(subject)}`
  if (isForCluster(ground))
    return policy.clusterScope ? null : `policy ${describePolicy(policy)} no longer gives access to the whole cluster`
  const labels = world.namespaceLabels(ground.namespace)
  if (labels === null || !selects(policy.scope, labels))
    return `namespace ${ground.namespace} is no longer in the policy's scope`
  return null
}
