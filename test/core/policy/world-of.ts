import { sameIdentity, usernameOf } from '../../../src/core/identity.ts'
import type { Policy } from '../../../src/core/policy/policy.ts'
import { canonicalIdentity } from '../../../src/core/policy/select.ts'
import type { RbacIndex } from '../../../src/core/rbac/rbac-index.ts'
import type { Labels } from '../../../src/core/selector.ts'
import type {
  LiveGrant,
  RevisionFacts,
  ServiceAccountFacts,
  StoredGrant,
  Suspension,
  UnreviewedGrant,
  World,
} from '../../../src/core/world.ts'
import { rbacOf, role, rule } from '../rbac/rbac-of.ts'
import { policyOf } from './policy-of.ts'

export interface WorldParts {
  readonly policies?: readonly Policy[]
  readonly revisions?: readonly RevisionFacts[]
  /** Labels by name. */
  readonly namespaces?: Readonly<Record<string, Labels>>
  /** By `namespace/name`. */
  readonly serviceAccounts?: Readonly<Record<string, Partial<ServiceAccountFacts>>>
  readonly grants?: readonly LiveGrant[]
  /** By `namespace/name`. */
  readonly stored?: Readonly<Record<string, StoredGrant>>
  readonly unreviewed?: readonly UnreviewedGrant[]
  readonly suspensions?: readonly Suspension[]
  readonly rbac?: RbacIndex
  readonly credentialNamespaces?: readonly string[] | null
  readonly clusterGrants?: World['clusterGrants']
}

const logReader = role('payments-log-reader', rule('get pods/log'), rule('get /metrics'))

/** A world in which payments-deploy rules namespaces payments and ci, with the given parts in place of its own. */
export function worldOf(parts: WorldParts = {}): World {
  const {
    policies = [policyOf()],
    revisions = [],
    namespaces = { payments: { team: 'payments' }, ci: { team: 'payments' }, search: { team: 'search' } },
    serviceAccounts = { 'ci/deployer': { uid: 'uid-1' }, 'search/deployer': {} },
    grants = [],
    stored = {},
    unreviewed = [],
    suspensions = [],
    rbac = rbacOf(logReader),
    credentialNamespaces = ['payments'],
    clusterGrants = { enabled: true, approvalNamespace: 'lapse-system' },
  } = parts
  return {
    rbac,
    credentialNamespaces: credentialNamespaces === null ? null : new Set(credentialNamespaces),
    clusterGrants,
    policy: (name) => policies.find((policy) => policy.name === name) ?? null,
    policies: () => policies,
    revisions: (policy) => revisions.filter((revision) => revision.policy === policy),
    namespaceLabels: (name) => namespaces[name] ?? null,
    serviceAccount: (namespace, name) => {
      const known = serviceAccounts[`${namespace}/${name}`]
      return known === undefined ? null : { uid: '', labels: {}, automount: null, ...known }
    },
    liveGrants: (policy) => grants.filter((grant) => grant.policy === policy),
    liveGrantsOf: (username) => grants.filter(({ subject }) => usernameOf(subject) === username),
    grant: (namespace, name) => stored[`${namespace}/${name}`] ?? null,
    unreviewed: (policy) => unreviewed.filter((grant) => grant.policy === policy),
    suspension: (subject) =>
      suspensions.find((each) => sameIdentity(canonicalIdentity(each.subject), canonicalIdentity(subject))) ?? null,
    grantBindings: () => new Set(),
  }
}

/** A recorded version of payments-deploy that is neither superseded nor withdrawn, unless it says so. */
export function revisionOf(version: string, fields: Partial<RevisionFacts> = {}): RevisionFacts {
  const digest = `sha256:digest of ${version}`
  return { policy: 'payments-deploy', version, digest, appliedAt: null, supersededAt: null, revokedAt: null, ...fields }
}
