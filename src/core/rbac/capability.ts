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
  'binding-edit',
  'nodes-proxy',
  'csr-sign',
  'admission-control',
  'pv-create',
  'namespace-write',
  'node-write',
  'traffic-redirect',
  'system-configmap',
  'api-extension',
  'destroy',
  'broad-group',
  'governance-tamper',
  'dangling-aggregation',
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
  /** The only namespace in which it does harm; absent: any. */
  readonly onlyIn?: string
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
  /** What it looks at, for the documentation. */
  readonly what: string
  readonly remedy: string
  /** Which other catalogues know it: `CIS 1.12 5.1.2`. */
  readonly references: readonly string[]
  readonly judgedBy: Judgement
  /** Alternatives, one of which is enough. */
  readonly ways: readonly Conjunction[]
  /** Ways that are as things should be, and only on record: found with severity Info where none of `ways` is. */
  readonly harmlessWays?: readonly Conjunction[]
}

/**
 * How a capability is found: by `Requests` alone (`ways`), or by the effective rules and where they come from before that.
 * `Rules`: a wildcard, which is about what does not exist yet. `BroadGroups`: what comes by a group that everybody is in.
 * `Aggregation`: a role whose rules others can add to.
 */
export type Judgement = 'Requests' | 'Rules' | 'BroadGroups' | 'Aggregation'

interface Question {
  readonly verbs: readonly string[]
  readonly apiGroup: string
  /** `pods` or `pods/exec`. */
  readonly resources: readonly string[]
  readonly reach: CapabilityRequest['reach']
  readonly onlyIn?: string
  readonly name: CapabilityRequest['name']
}

/** Every verb on every resource, in that order: the first that is allowed is the one that a message names. */
export function requests({ verbs, resources, ...shared }: Question): readonly CapabilityRequest[] {
  return verbs.flatMap((verb) =>
    resources.map((target) => {
      const [resource = '', subresource = ''] = target.split('/')
      return { verb, resource, subresource, ...shared }
    }),
  )
}

/** Verbs that change what is stored. */
export const writes: readonly string[] = ['create', 'update', 'patch']
/** Verbs that change or remove what is stored: a removed guard guards nothing. */
export const writesAndDeletes: readonly string[] = [...writes, 'delete', 'deletecollection']
