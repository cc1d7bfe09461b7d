import {
  bindingsOf,
  effectiveRules,
  ruleAllows,
  type AuthorizeOptions,
  type Provenance,
  type RequestAttributes,
} from './authorize.ts'
import { capabilityCatalogue } from './capability-catalogue.ts'
import {
  capabilityIds,
  type Capability,
  type CapabilityId,
  type CapabilityRequest,
  type Conjunction,
} from './capability.ts'
import { generationMemo, numberOfIgnored } from './generation-memo.ts'
import { anybody, givenToEverybody, takenFromLabels } from './held-structure.ts'
import { namedAccess } from './named-access.ts'
import type { RbacView } from './objects.ts'
import { subjectKeysOf, type RbacUser } from './subject.ts'

/** A request that is allowed, and by what. */
export interface Evidence {
  /** null: the rule itself is the finding (`wildcard`), or what hands it on. */
  readonly request: RequestAttributes | null
  /** `Cluster`: the request concerns no namespace. */
  readonly reach: CapabilityRequest['reach']
  readonly by: Provenance
}

export interface HeldCapability extends Evidence {
  readonly capability: CapabilityId
  /** Empty: cluster-wide. */
  readonly namespace: string
  /** The further requests of a conjunction, each of which is allowed too. */
  readonly also: readonly Evidence[]
  /** Held only as it should be (`harmlessWays`): to be put on record, and no reason to refuse. */
  readonly isHarmless: boolean
}

/** Whose access is looked at, where, and all that holds there. */
interface Scope {
  /** Empty: the whole cluster. */
  readonly namespace: string
  readonly held: readonly Provenance[]
  /** Of `held`, what ClusterRoleBindings give: only that counts for what is in no namespace. */
  readonly heldInCluster: readonly Provenance[]
  readonly user: RbacUser
  readonly view: RbacView
  readonly options: AuthorizeOptions
}

/**
 * Which of the wanted capabilities the user holds, by its own bindings and those of its groups: cluster-wide, and in each
 * namespace where something binds it. One entry for a capability and scope; a cluster-wide one hides those of namespaces.
 *
 * A hypothetical request carries no name, and a rule with resourceNames never allows such a request. Where the catalogue
 * says that one object is enough (`Any`), the names of the held rules are therefore tried too. Named access to a resource
 * that counts only `Unnamed` (secrets-write, pod-mutate, destroy) is not reported.
 */
export function heldCapabilities(
  user: RbacUser,
  wanted: readonly CapabilityId[],
  view: RbacView,
  options: AuthorizeOptions = {},
): readonly HeldCapability[] {
  const asked = capabilityIds.filter((id) => wanted.includes(id)).map((id) => capabilityCatalogue[id])
  const heldIn = (namespace: string, capabilities: readonly Capability[]) => {
    const held = effectiveRules(user, namespace, view, options)
    const heldInCluster = namespace === '' ? held : held.filter(isClusterWide)
    const scope: Scope = { namespace, held, heldInCluster, user, view, options }
    return capabilities.flatMap((capability) => holding(capability, scope) ?? [])
  }
  const clusterWide = heldIn('', asked)
  const settled = new Set(clusterWide.filter(({ isHarmless }) => !isHarmless).map(({ capability }) => capability))
  const open = asked.filter(({ id }) => !settled.has(id))
  const users = open.some(({ judgedBy }) => judgedBy === 'BroadGroups') ? [user, anybody] : [user]
  return [...clusterWide, ...namespacesOf(users, view).flatMap((namespace) => heldIn(namespace, open))]
}

function isClusterWide(by: Provenance): boolean {
  return by.kind === 'SuperUser' || by.binding.namespace === null
}

function namespacesOf(users: readonly RbacUser[], view: RbacView): readonly string[] {
  return [...new Set(users.flatMap(subjectKeysOf).flatMap((key) => view.namespacesNaming(key)))].sort()
}

function holding(capability: Capability, scope: Scope): HeldCapability | null {
  const { id, ways, harmlessWays = [] } = capability
  const [first, ...also] = firstNonEmpty([structureOf, inRequests(ways)], (find) => find(scope, capability))
  if (first !== undefined) return { capability: id, namespace: scope.namespace, ...first, also, isHarmless: false }
  const [harmless, ...further] = inRequests(harmlessWays)(scope)
  if (harmless === undefined) return null
  return { capability: id, namespace: scope.namespace, ...harmless, also: further, isHarmless: true }
}

function inRequests(ways: readonly Conjunction[]): (scope: Scope) => readonly Evidence[] {
  return (scope) => firstNonEmpty(ways, (way) => evidenceOfAll(way, scope))
}

/** Evidence in the rules themselves and in what hands them on; empty where only requests count. */
function structureOf({ user, namespace, held, view, options }: Scope, { judgedBy }: Capability): readonly Evidence[] {
  switch (judgedBy) {
    case 'Requests':
      return []
    case 'Rules':
      return byItself(held.find(({ rule }) => hasWildcard(rule)))
    case 'BroadGroups':
      return byItself(givenToEverybody(namespace, view, options))
    case 'Aggregation':
      return byItself(takenFromLabels(bindingsOf(user, view, namespace), view, options))
  }
}

function byItself(by: Provenance | undefined): readonly Evidence[] {
  return by === undefined ? [] : [{ request: null, reach: 'Namespace', by }]
}

/** A subresource of everything is a wildcard too: it covers resources that do not exist yet. */
function hasWildcard({ verbs, apiGroups = [], resources = [] }: Provenance['rule']): boolean {
  return (
    verbs.includes('*') || apiGroups.includes('*') || resources.some((name) => name === '*' || name.startsWith('*/'))
  )
}

/** In a namespace only what concerns one is asked again, with what the cluster gives beside it. */
function evidenceOfAll(way: Conjunction, scope: Scope): readonly Evidence[] {
  if (scope.namespace !== '' && way.every((requests) => requests.every(({ reach }) => reach === 'Cluster'))) return []
  const found: Evidence[] = []
  for (const requests of way) {
    const evidence = firstNonEmpty(requests, (request) => evidenceOfOne(request, scope))
    if (evidence.length === 0) return []
    found.push(...evidence)
  }
  return found
}

function evidenceOfOne(asked: CapabilityRequest, scope: Scope): readonly Evidence[] {
  if (asked.onlyIn !== undefined && scope.namespace !== '' && scope.namespace !== asked.onlyIn) return []
  const held = asked.reach === 'Cluster' ? scope.heldInCluster : scope.held
  const request = attributesOf(asked, asked.reach === 'Cluster' ? '' : scope.namespace)
  const by = held.find(({ rule }) => ruleAllows(rule, request))
  if (by !== undefined) return [{ request, reach: asked.reach, by }]
  const named = asked.name === 'Any' && request.name === '' ? namedAccess(request, held) : null
  return named === null ? [] : [{ request: { ...request, name: named.name }, reach: asked.reach, by: named.by }]
}

function attributesOf(asked: CapabilityRequest, namespace: string): RequestAttributes {
  const { verb, apiGroup, resource, subresource } = asked
  const name = typeof asked.name === 'object' ? asked.name.exactly : ''
  // A request for a Namespace object is made in the namespace of that name, and no other (kube-apiserver, requestinfo.go).
  return {
    verb,
    namespace,
    apiGroup,
    resource,
    subresource,
    name: resource === 'namespaces' ? namespace : name,
    path: '',
  }
}

function firstNonEmpty<T, R>(items: readonly T[], find: (item: T) => readonly R[]): readonly R[] {
  for (const item of items) {
    const found = find(item)
    if (found.length > 0) return found
  }
  return []
}

const remembered = generationMemo<readonly HeldCapability[]>()

/**
 * `heldCapabilities`, looked up when the same was asked of this view in this generation. The set of ignored bindings is
 * told from others by its identity: a caller that changes it must pass a new set.
 */
export function memoHeldCapabilities(
  user: RbacUser,
  wanted: readonly CapabilityId[],
  view: RbacView,
  options: AuthorizeOptions = {},
): readonly HeldCapability[] {
  const question = JSON.stringify([user.username, user.groups, wanted, numberOfIgnored(options.ignoreBindings)])
  return remembered(view, question, () => heldCapabilities(user, wanted, view, options))
}
