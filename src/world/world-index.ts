import { parseAccessPolicy } from '../api/v1alpha1/parse-access-policy.ts'
import { isObject } from '../api/validate.ts'
import { Groups } from '../core/groups.ts'
import type { Policy } from '../core/policy/policy.ts'
import type { Problem } from '../core/problem.ts'
import { RbacIndex } from '../core/rbac/rbac-index.ts'
import type { Labels } from '../core/selector.ts'
import type { Identity } from '../core/identity.ts'
import type {
  ClusterGrantTerms,
  LiveGrant,
  RevisionFacts,
  ServiceAccountFacts,
  StoredGrant,
  Suspension,
  UnreviewedGrant,
  World,
} from '../core/world.ts'
import { LiveGrants } from './live-grants.ts'
import {
  keyOf,
  readLabels,
  readLiveGrant,
  readRevision,
  readServiceAccount,
  readStoredGrant,
  readSuspension,
  readUnreviewed,
} from './read-facts.ts'
import { Suspensions } from './suspensions.ts'

/** The kinds of objects that decisions look at. */
export const worldKinds = [
  'AccessPolicy',
  'AccessPolicyRevision',
  'NHIGrant',
  'ClusterNHIGrant',
  'NHISuspension',
  'Namespace',
  'ServiceAccount',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
] as const
export type WorldKind = (typeof worldKinds)[number]

/** What no object tells: how the operator is run. */
export type OperatorTerms = Pick<World, 'credentialNamespaces' | 'clusterGrants'>

export function isWorldKind(kind: string): kind is WorldKind {
  return (worldKinds as readonly string[]).includes(kind)
}

/**
 * The world as raw objects tell it, whoever brings them: the caches of a running replica or the files given to
 * `lapse check`. A policy that cannot be parsed is no policy, and is listed in `brokenPolicies`.
 */
export class WorldIndex implements World {
  readonly rbac = new RbacIndex()
  readonly #policies = new Map<string, Policy>()
  readonly #brokenPolicies = new Map<string, readonly Problem[]>()
  readonly #revisions = new Groups<RevisionFacts>()
  readonly #namespaces = new Map<string, Labels>()
  readonly #serviceAccounts = new Map<string, ServiceAccountFacts>()
  readonly #grants = new LiveGrants()
  /** As they were given, by key: few of them are ever asked for. */
  readonly #storedGrants = new Map<string, unknown>()
  /** By the grant's key. */
  readonly #unreviewed = new Map<string, UnreviewedGrant>()
  readonly #suspensions = new Suspensions()
  readonly credentialNamespaces: ReadonlySet<string> | null
  readonly clusterGrants: ClusterGrantTerms | null
  #policyList: readonly Policy[] = []

  constructor({ credentialNamespaces = null, clusterGrants = null }: Partial<OperatorTerms> = {}) {
    this.credentialNamespaces = credentialNamespaces
    this.clusterGrants = clusterGrants
  }

  /** Takes in a change that a cache has seen. */
  apply(kind: WorldKind, { before, after }: { readonly before: object | null; readonly after: object | null }): void {
    if (after !== null) this.put(kind, after)
    else if (before !== null) this.remove(kind, before)
  }

  /** Takes in an object, in place of what was known under its name. */
  put(kind: WorldKind, object: unknown): void {
    const key = keyOf(object)
    switch (kind) {
      case 'AccessPolicy':
        return this.#putPolicy(key.name, object)
      case 'AccessPolicyRevision':
        return this.#putRevision(object)
      case 'NHIGrant':
        return this.#putGrant(`${key.namespace}/${key.name}`, object)
      case 'ClusterNHIGrant':
        return this.#putGrant(`/${key.name}`, object)
      case 'NHISuspension':
        return this.#suspensions.put(key.name, readSuspension(object))
      case 'Namespace':
        return void this.#namespaces.set(key.name, { ...readLabels(object), 'kubernetes.io/metadata.name': key.name })
      case 'ServiceAccount':
        return void this.#serviceAccounts.set(`${key.namespace}/${key.name}`, readServiceAccount(object))
      case 'Role':
      case 'ClusterRole':
      case 'RoleBinding':
      case 'ClusterRoleBinding':
        return this.rbac.upsert(kind, object)
    }
  }

  /** Forgets an object; the last known form of it is given, for what cannot be told from its name. */
  remove(kind: WorldKind, object: unknown): void {
    const key = keyOf(object)
    switch (kind) {
      case 'AccessPolicy':
        this.#policies.delete(key.name)
        this.#brokenPolicies.delete(key.name)
        return this.#listPolicies()
      case 'AccessPolicyRevision': {
        const facts = readRevision(object)
        if (facts !== null) this.#revisions.remove(facts.policy, facts.version)
        return
      }
      case 'NHIGrant':
        return this.#removeGrant(`${key.namespace}/${key.name}`)
      case 'ClusterNHIGrant':
        return this.#removeGrant(`/${key.name}`)
      case 'NHISuspension':
        return this.#suspensions.remove(key.name)
      case 'Namespace':
        return void this.#namespaces.delete(key.name)
      case 'ServiceAccount':
        return void this.#serviceAccounts.delete(`${key.namespace}/${key.name}`)
      case 'Role':
      case 'ClusterRole':
      case 'RoleBinding':
      case 'ClusterRoleBinding':
        return this.rbac.remove(kind, key.namespace === '' ? null : key.namespace, key.name)
    }
  }

  policy(name: string): Policy | null {
    return this.#policies.get(name) ?? null
  }

  policies(): readonly Policy[] {
    return this.#policyList
  }

  /** Policies that are there but cannot be parsed, with what is wrong. */
  get brokenPolicies(): ReadonlyMap<string, readonly Problem[]> {
    return this.#brokenPolicies
  }

  revisions(policy: string): readonly RevisionFacts[] {
    return this.#revisions.of(policy)
  }

  namespaceLabels(name: string): Labels | null {
    return this.#namespaces.get(name) ?? null
  }

  serviceAccount(namespace: string, name: string): ServiceAccountFacts | null {
    return this.#serviceAccounts.get(`${namespace}/${name}`) ?? null
  }

  liveGrants(policy: string, subject?: Identity): readonly LiveGrant[] {
    return this.#grants.under(policy, subject)
  }

  liveGrantsOf(username: string): readonly LiveGrant[] {
    return this.#grants.of(username)
  }

  /** Whether a grant under the name of this one is there and has not ended. */
  hasLiveGrant(object: unknown): boolean {
    const { namespace, name } = keyOf(object)
    const isWide = isObject(object) && object['kind'] === 'ClusterNHIGrant'
    return this.#grants.has(isWide ? `/${name}` : `${namespace}/${name}`)
  }

  grantBindings(): ReadonlySet<string> {
    return this.#grants.bindings()
  }

  grant(namespace: string, name: string): StoredGrant | null {
    return readStoredGrant(this.#storedGrants.get(`${namespace}/${name}`))
  }

  unreviewed(policy: string): readonly UnreviewedGrant[] {
    return [...this.#unreviewed.values()].filter((grant) => grant.policy === policy)
  }

  suspension(subject: Identity): Suspension | null {
    return this.#suspensions.of(subject)
  }

  #putGrant(key: string, object: unknown): void {
    this.#storedGrants.set(key, object)
    this.#grants.put(key, readLiveGrant(object))
    const unreviewed = readUnreviewed(object)
    if (unreviewed === null) this.#unreviewed.delete(key)
    else this.#unreviewed.set(key, unreviewed)
  }

  #removeGrant(key: string): void {
    this.#storedGrants.delete(key)
    this.#grants.remove(key)
    this.#unreviewed.delete(key)
  }

  #putPolicy(name: string, object: unknown): void {
    const parsed = parseAccessPolicy(object)
    this.#policies.delete(name)
    this.#brokenPolicies.delete(name)
    if (parsed.ok) this.#policies.set(name, parsed.value)
    else this.#brokenPolicies.set(name, parsed.problems)
    this.#listPolicies()
  }

  #putRevision(object: unknown): void {
    const facts = readRevision(object)
    if (facts !== null) this.#revisions.put(facts.policy, facts.version, facts)
  }

  #listPolicies(): void {
    this.#policyList = [...this.#policies.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}
