import type { Severity } from '../finding.ts'

/** Every capability that a policy can forbid, by its public id, in the order in which findings are reported. */
export const capabilityIds = [
  'full-admin',
  'wildcard',
  'secrets-read',
  'secrets-write',
  'workload-create',
  'pod-mutate',
  'exec',
  'token-request',
  'impersonate',
  'bind',
  'escalate',
  'nodes-proxy',
  'csr-sign',
  'admission-control',
  'pv-create',
  'namespace-write',
  'node-write',
  'api-extension',
  'governance-tamper',
] as const

export type CapabilityId = (typeof capabilityIds)[number]

/** A hypothetical request: a capability is a set of them put to the authorizer, never a match on the text of a rule. */
export interface CapabilityRequest {
  readonly verb: string
  readonly apiGroup: string
  readonly resource: string
  /** Empty: the resource itself. */
  readonly subresource: string
  /** `Cluster`: the API server asks without a namespace, so only ClusterRoleBindings can allow it. */
  readonly reach: 'Cluster' | 'Namespace'
  /**
   * `Unnamed`: only access to every name counts. `Any`: access to one named object is harm enough. Otherwise the one name
   * that is asked for.
   */
  readonly name: 'Unnamed' | 'Any' | { readonly exactly: string }
}

/** One way to hold a capability: of every list, at least one request must be allowed in the same scope. */
export type Conjunction = readonly (readonly CapabilityRequest[])[]

export interface Capability {
  readonly id: CapabilityId
  /** The id of the catalogue in the documentation, `R03`. */
  readonly code: string
  /** In the whole cluster or in kube-system; in another namespace it is one lower. */
  readonly severity: Severity
  readonly title: string
  readonly remedy: string
  /** `Rules`: judged by the text of the effective rules, because it is about what does not exist yet. */
  readonly judgedBy: 'Requests' | 'Rules'
  /** Alternatives, one of which is enough. Empty when judged by rules. */
  readonly ways: readonly Conjunction[]
}
