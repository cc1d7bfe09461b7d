import { effectiveRules, ruleAllows } from './authorize.ts'
import type { AuthorizeOptions, Provenance, RequestAttributes } from './authorize.ts'
import { capabilityCatalogue } from './capability-catalogue.ts'
import { capabilityIds } from './capability.ts'
import type { Capability, CapabilityId, CapabilityRequest, Conjunction } from './capability.ts'
import { namedAccess } from './named-access.ts'
import type { RbacView } from './objects.ts'
import { subjectKeysOf } from './subject.ts'
import type { RbacUser } from './subject.ts'

/** A request that is allowed, and by what. */
export interface Evidence {
  /** null: the rule itself is the finding (`wildcard`). */
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
}

/**
 * Which of the wanted capabilities the user holds, by its own bindings and those of its groups: cluster-wide, and in each
 * namespace where something binds it. One entry for a capability and scope; a cluster-wide one hides those of namespaces.
 *
 * A hypothetical request carries no name, and a rule with resourceNames never allows such a request. Where the catalogue
 * says that one object is enough (`Any`), the names of the held rules are therefore tried too. Named access to a resource
 * that counts only `Unnamed` (secrets-read, secrets-write, pod-mutate) is not reported.
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
    return capabilities.flatMap((capability) => holding(capability, namespace, held) ?? [])
  }
  const clusterWide = heldIn('', asked)
  const open = asked.filter(({ id }) => clusterWide.every(({ capability }) => capability !== id))
  return [...clusterWide, ...namespacesOf(user, view).flatMap((namespace) => heldIn(namespace, open))]
}

function namespacesOf(user: RbacUser, view: RbacView): readonly string[] {
  return [...new Set(subjectKeysOf(user).flatMap((key) => view.namespacesNaming(key)))].sort()
}

function holding(capability: Capability, namespace: string, held: readonly Provenance[]): HeldCapability | null {
  const [first, ...also] = evidenceOf(capability, namespace, held)
  return first === undefined ? null : { capability: capability.id, namespace, ...first, also }
}

/** Empty: the capability is not held. */
function evidenceOf(capability: Capability, namespace: string, held: readonly Provenance[]): readonly Evidence[] {
  return capability.judgedBy === 'Rules'
    ? wildcardEvidence(held)
    : firstNonEmpty(capability.ways, (way) => evidenceOfAll(way, namespace, held))
}

function wildcardEvidence(held: readonly Provenance[]): readonly Evidence[] {
  const by = held.find(({ rule }) => hasWildcard(rule))
  return by === undefined ? [] : [{ request: null, reach: 'Namespace', by }]
}

/** A subresource of everything is a wildcard too: it covers resources that do not exist yet. */
function hasWildcard({ verbs, apiGroups = [], resources = [] }: Provenance['rule']): boolean {
  return (
    verbs.includes('*') || apiGroups.includes('*') || resources.some((name) => name === '*' || name.startsWith('*/'))
  )
}

function evidenceOfAll(way: Conjunction, namespace: string, held: readonly Provenance[]): readonly Evidence[] {
  const found = way.map((requests) => firstNonEmpty(requests, (request) => evidenceOfOne(request, namespace, held)))
  return found.every((evidence) => evidence.length > 0) ? found.flat() : []
}

function evidenceOfOne(asked: CapabilityRequest, namespace: string, held: readonly Provenance[]): readonly Evidence[] {
  if (asked.reach === 'Cluster' && namespace !== '') return []
  const request = attributesOf(asked, namespace)
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
