import { marks, apiVersion, type AccessPolicy, type AccessPolicyRevision } from '../../api/v1alpha1/objects.ts'
import { Conflict } from '../../cluster/errors.ts'
import type { ClusterClient } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import type { RecordedVersion } from '../../core/policy/plan.ts'
import type { Policy } from '../../core/policy/policy.ts'
import { formatInstant, parseInstant, type Instant } from '../../core/time.ts'
import { managedByLapse } from '../marks.ts'

export function revisionName(policy: string, version: string): string {
  return `${policy}-${version}`
}

export function recordedVersionOf(revision: AccessPolicyRevision): RecordedVersion {
  const { supersededAt, revokedAt, roles = [] } = revision.status ?? {}
  return {
    version: revision.spec.policy.version,
    digest: revision.spec.digest,
    supersededAt: supersededAt === undefined ? null : parseInstant(supersededAt),
    revokedAt: revokedAt === undefined ? null : parseInstant(revokedAt),
    roles: new Map(roles.map((role) => [role.set, role.clusterRole])),
  }
}

/**
 * Records an accepted version. A revision of the name that is already there is taken for ours only if it says the same;
 * null: it records something else.
 * It is not owned by the policy: the record outlives what it records.
 */
export async function createRevision(
  client: ClusterClient,
  object: AccessPolicy,
  policy: Policy,
  now: Instant,
): Promise<AccessPolicyRevision | null> {
  const appliedBy = object.metadata.annotations?.[marks.appliedBy]
  const name = revisionName(policy.name, policy.version)
  const manifest = {
    apiVersion,
    kind: 'AccessPolicyRevision',
    metadata: {
      name,
      labels: { ...managedByLapse, [marks.policy]: policy.name, [marks.policyVersion]: policy.version },
    },
    spec: {
      policyName: policy.name,
      digest: policy.digest,
      ...(appliedBy === undefined ? {} : { appliedBy }),
      appliedAt: formatInstant(now),
      policy: object.spec,
    },
  }
  try {
    return (await client.create(resources.accessPolicyRevisions, manifest)) as unknown as AccessPolicyRevision
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
  }
  const found = (await client.get(resources.accessPolicyRevisions, {
    namespace: '',
    name,
  })) as AccessPolicyRevision | null
  if (found === null) throw new Error('a revision that existed a moment ago is gone')
  return found.spec.policyName === policy.name && found.spec.digest === policy.digest ? found : null
}
