import type { GrantSpec, GrantState, TerminalState } from './grant/grant.ts'
import type { Identity } from './identity.ts'
import type { Policy } from './policy/policy.ts'
import type { RoleView } from './rbac/objects.ts'
import type { Labels } from './selector.ts'
import type { Instant } from './time.ts'

export interface ServiceAccountFacts {
  readonly uid: string
  readonly labels: Labels
  /** The account's automountServiceAccountToken; null: not set, which mounts. */
  readonly automount: boolean | null
}

/** What is on record about one accepted version of a policy. */
export interface RevisionFacts {
  readonly policy: string
  readonly version: string
  readonly digest: string
  /** When it was accepted; null: not on record. */
  readonly appliedAt: Instant | null
  /** null: newest, or superseded at a time not yet recorded. */
  readonly supersededAt: Instant | null
  /** null: not withdrawn. */
  readonly revokedAt: Instant | null
}

/** A grant that has not ended, as far as decisions about others need it. */
export interface LiveGrant {
  readonly uid: string
  /** Empty: it is for the whole cluster. */
  readonly namespace: string
  readonly name: string
  readonly policy: string
  readonly subject: Identity
  readonly state: Exclude<GrantState, TerminalState>
  /** Whether its window is on record: access exists, or is about to. */
  readonly issued: boolean
  /** UIDs of the bindings that carry it, from its own status. */
  readonly bindings: readonly string[]
  /** When it is over, by its record; null: that is not on record. */
  readonly notAfter: Instant | null
  /** Digest of the policy version that it was issued under, by its record; null: not on record. */
  readonly policyDigest: string | null
  /** By its record; null: the subject is no ServiceAccount, or nothing is on record. */
  readonly subjectUid: string | null
  /** Whether it is being revoked or deleted: nobody may count on it any more. */
  readonly ending: boolean
  /** Checks that it waives, by its record; none while it is ending. */
  readonly waive: readonly string[]
}

/** A grant for an emergency that nobody has reviewed. */
export interface UnreviewedGrant {
  readonly namespace: string
  readonly name: string
  readonly policy: string
  readonly subject: Identity
  readonly ended: boolean
  /** Until when it must have been reviewed. */
  readonly dueBy: Instant
}

/** A grant as it is stored, ended or not, for those who say something of it. */
export interface StoredGrant {
  readonly uid: string
  readonly createdAt: Instant
  readonly spec: GrantSpec
  readonly state: GrantState
  /** Whether it is being revoked or deleted. */
  readonly ending: boolean
  /** Whether it was issued as an emergency, and nobody has reviewed it. */
  readonly unreviewed: boolean
  /** Digest of the policy version that it was issued under, by its record; null: not on record. */
  readonly policyDigest: string | null
  /** What must be approved of it under a version of its policy. */
  readonly digestUnder: (policyDigest: string) => string
}

/** Somebody who is to have no grants, until that is lifted. */
export interface Suspension {
  readonly name: string
  readonly subject: Identity
  readonly reason: string
}

/** What the operator does with grants that have no namespace. */
export interface ClusterGrantTerms {
  /** Whether it issues them. */
  readonly enabled: boolean
  /** The namespace in which what is said of them must be: no other could be deleted by a tenant, or filled by one. */
  readonly approvalNamespace: string
}

/**
 * Everything that a decision may look at: the caches of a running replica, or the files given to `lapse check`.
 * What is not known is null or absent, and every decision reads that as no.
 */
export interface World {
  readonly rbac: RoleView
  /** Where the operator makes identities with tokens; null: that is not known. */
  readonly credentialNamespaces: ReadonlySet<string> | null
  /** How the operator deals with grants for the whole cluster; null: that is not known. */
  readonly clusterGrants: ClusterGrantTerms | null
  policy(name: string): Policy | null
  policies(): readonly Policy[]
  /** Every recorded version of a policy, in no order. */
  revisions(policy: string): readonly RevisionFacts[]
  /** Labels of a namespace; null: no such namespace known. */
  namespaceLabels(name: string): Labels | null
  serviceAccount(namespace: string, name: string): ServiceAccountFacts | null
  /** Grants under a policy that have not ended; where a subject is given, those for others may be left out. */
  liveGrants(policy: string, subject?: Identity): readonly LiveGrant[]
  /** Grants that have not ended of the subject with that user name, under every policy, in no order. */
  liveGrantsOf(username: string): readonly LiveGrant[]
  /** Of a grant that is not namespaced the namespace is empty; null: there is no such grant, or it cannot be read. */
  grant(namespace: string, name: string): StoredGrant | null
  /** Grants for emergencies under a policy, issued and not reviewed, whether or not they have ended. */
  unreviewed(policy: string): readonly UnreviewedGrant[]
  /** null: the identity is not suspended. */
  suspension(subject: Identity): Suspension | null
  /** UIDs of the bindings that carry Active grants: access that ends by itself. The same set until it changes. */
  grantBindings(): ReadonlySet<string>
}
