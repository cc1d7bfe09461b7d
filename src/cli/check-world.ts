import { parseNHIGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import { parseNHIGrantApproval } from '../api/v1alpha1/parse-nhi-grant-approval.ts'
import { parseNHISuspension } from '../api/v1alpha1/parse-nhi-suspension.ts'
import { group as ourGroup } from '../api/v1alpha1/objects.ts'
import { isObject, type JsonObject } from '../api/validate.ts'
import type { Parsed, Problem } from '../core/problem.ts'
import { fullAuthority } from '../core/rbac/authorize.ts'
import { keyOf, readRevision } from '../world/read-facts.ts'
import { isWorldKind, WorldIndex, worldKinds, type WorldKind } from '../world/world-index.ts'
import { badField, type BadInput, type Manifest } from './manifest/manifest.ts'

/**
 * What a file may say of its objects. `Record`: what some cluster had of them; whoever named the file answers for it.
 * `Manifest`: what they are to be. What only a cluster writes (uids, status, revisions) is not believed there: it would be
 * the author's own word for what was granted to him.
 */
export type Testimony = 'Record' | 'Manifest'

/** An object of the world, in the namespace that it will be in. */
export interface Placed extends Manifest {
  readonly namespace: string
  readonly testimony: Testimony
}

/** The world that is judged in, and what of it was there before the files. */
export interface Worlds {
  readonly world: WorldIndex
  readonly before: WorldIndex
}

const groups: Readonly<Record<WorldKind, string>> = {
  AccessPolicy: ourGroup,
  AccessPolicyRevision: ourGroup,
  NHIGrant: ourGroup,
  ClusterNHIGrant: ourGroup,
  NHISuspension: ourGroup,
  Namespace: '',
  ServiceAccount: '',
  Role: 'rbac.authorization.k8s.io',
  ClusterRole: 'rbac.authorization.k8s.io',
  RoleBinding: 'rbac.authorization.k8s.io',
  ClusterRoleBinding: 'rbac.authorization.k8s.io',
}

const clusterScoped: ReadonlySet<WorldKind> = new Set([
  'AccessPolicy',
  'AccessPolicyRevision',
  'ClusterNHIGrant',
  'NHISuspension',
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
])

/** The kind under which decisions know the object; null: they do not look at it. */
export function worldKindOf({ apiVersion, kind }: Manifest): WorldKind | null {
  return isWorldKind(kind) && groups[kind] === groupOf(apiVersion) ? kind : null
}

/** Puts the object where the API server would; what is cluster-scoped is in the namespace with the empty name. */
export function place(manifest: Manifest, defaultNamespace: string, testimony: Testimony): Placed {
  const kind = worldKindOf(manifest)
  const object = kind === null || testimony === 'Record' ? manifest.object : withoutRecord(manifest.object)
  if (kind !== null && clusterScoped.has(kind)) return { ...manifest, object, namespace: '', testimony }
  const namespace = keyOf(object).namespace || defaultNamespace
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  return { ...manifest, object: { ...object, metadata: { ...metadata, namespace } }, namespace, testimony }
}

/** As the API server takes what is created: it gives the uid itself, and drops the status. */
function withoutRecord(object: JsonObject): JsonObject {
  const { status: _, ...rest } = object
  if (!isObject(rest['metadata'])) return rest
  const { uid: __, ...metadata } = rest['metadata']
  return { ...rest, metadata }
}

/** Nothing but what every cluster has: a binding to cluster-admin must not seem to give nothing. */
export function bareWorlds(): Worlds {
  const world = new WorldIndex()
  world.put('ClusterRole', { metadata: { name: 'cluster-admin' }, rules: fullAuthority })
  return { world, before: new WorldIndex() }
}

/**
 * Puts the objects into the world, in place of what is there under their names. Grants that no cluster has stored are left
 * out: they are not there until one after the other is allowed; so are revisions of which there is no record. The result is
 * whatever cannot be read, and what would take the place of another object.
 */
export function addToWorld(objects: readonly Placed[], world: WorldIndex): readonly BadInput[] {
  const bad: BadInput[] = []
  const places = new Map<string, Placed>()
  for (const object of objects) {
    const kind = worldKindOf(object)
    if (object.namespace !== '') addNamespace(object.namespace, world)
    const problems = kind === null ? reviewOtherKind(object) : takeIn(kind, object, places, world)
    for (const problem of problems) bad.push(badField(object, problem))
  }
  world.rbac.completeAggregation()
  return bad
}

/** A namespace that is mentioned exists, with its ServiceAccount default; nothing more is known of either. */
function addNamespace(namespace: string, world: WorldIndex): void {
  if (world.namespaceLabels(namespace) === null) world.put('Namespace', { metadata: { name: namespace } })
  if (world.serviceAccount(namespace, 'default') === null)
    world.put('ServiceAccount', { metadata: { namespace, name: 'default' } })
}

/** What decisions do not look at. An approval is ours, but what it says is heard by a cluster only: who says it, no file can tell. */
function reviewOtherKind({ apiVersion, kind, object }: Placed): readonly Problem[] {
  if (groupOf(apiVersion) !== ourGroup || kind === 'CheckBaseline') return []
  if (kind === 'NHIGrantApproval') return problemsOf(parseNHIGrantApproval(object))
  const known = [...worldKinds.filter((each) => groups[each] === ourGroup), 'NHIGrantApproval']
  return [
    {
      path: 'kind',
      message: `there is no kind ${JSON.stringify(kind)} in ${ourGroup}`,
      remedy: `known kinds: ${known.join(', ')}`,
    },
  ]
}

function takeIn(kind: WorldKind, object: Placed, places: Map<string, Placed>, world: WorldIndex): readonly Problem[] {
  const { name } = keyOf(object.object)
  const key = `${kind} ${object.namespace === '' ? name : `${object.namespace}/${name}`}`
  const first = places.get(key)
  if (name !== '' && first !== undefined) return [twice(key, first)]
  places.set(key, object)
  return put(kind, name, object, world)
}

function put(kind: WorldKind, name: string, placed: Placed, world: WorldIndex): readonly Problem[] {
  if (isOwn(kind)) return putOwn(kind, name, placed, world)
  return name === '' ? [nameMissing] : putOrExplain(kind, asApplied(kind, placed.object, world), world)
}

type OwnKind = Extract<WorldKind, 'AccessPolicy' | 'AccessPolicyRevision' | GrantKind | 'NHISuspension'>

function isOwn(kind: WorldKind): kind is OwnKind {
  return groups[kind] === ourGroup
}

function putOwn(kind: OwnKind, name: string, { object, testimony }: Placed, world: WorldIndex): readonly Problem[] {
  switch (kind) {
    case 'AccessPolicy':
      world.put(kind, object)
      return world.brokenPolicies.get(name) ?? []
    case 'AccessPolicyRevision':
      if (testimony === 'Record') world.put(kind, object)
      return readRevision(object) === null ? [revisionUnreadable] : []
    case 'NHIGrant':
    case 'ClusterNHIGrant':
      return putGrant(kind, object, world)
    case 'NHISuspension':
      world.put(kind, object)
      return problemsOf(parseNHISuspension(object))
  }
}

function problemsOf(parsed: Parsed<unknown>): readonly Problem[] {
  return parsed.ok ? [] : parsed.problems
}

/** Whether it has a uid, which only a cluster gives. */
function isStored(object: JsonObject): boolean {
  return isObject(object['metadata']) && typeof object['metadata']['uid'] === 'string'
}

function putGrant(kind: GrantKind, object: JsonObject, world: WorldIndex): readonly Problem[] {
  if (isStored(object)) world.put(kind, object)
  return problemsOf(parseNHIGrant(object))
}

/** Lets what is judged next see a grant that is allowed. One that the cluster has stays as it is: no file can renew it. */
export function addAllowedGrant(grant: Placed, world: WorldIndex): void {
  const kind = grant.kind === 'ClusterNHIGrant' ? 'ClusterNHIGrant' : 'NHIGrant'
  if (!world.hasLiveGrant(grant.object)) world.put(kind, grant.object)
}

type GrantKind = Extract<WorldKind, 'NHIGrant' | 'ClusterNHIGrant'>

/** What is applied over an account is the same account, with the UID that grants are for. */
function asApplied(kind: WorldKind, object: JsonObject, world: WorldIndex): JsonObject {
  if (kind !== 'ServiceAccount') return object
  const { namespace, name } = keyOf(object)
  const uid = world.serviceAccount(namespace, name)?.uid ?? ''
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  return uid === '' ? object : { ...object, metadata: { uid, ...metadata } }
}

function putOrExplain(kind: WorldKind, object: JsonObject, world: WorldIndex): readonly Problem[] {
  try {
    world.put(kind, object)
    return []
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const field = /^[a-zA-Z]+/.exec(error.message)?.[0] ?? ''
    return [
      { path: field, message: error.message, remedy: `correct the ${kind}: no API server would store it like this` },
    ]
  }
}

const nameMissing: Problem = { path: 'metadata.name', message: 'is required', remedy: 'Name the object' }

const revisionUnreadable: Problem = {
  path: 'spec',
  message: 'policyName, digest and policy.version are required',
  remedy: 'export it again with kubectl get accesspolicyrevisions -o yaml: revisions are written by the operator only',
}

function twice(key: string, { source }: Placed): Problem {
  const message = `${key} is already given in ${source.file}:${source.line}`
  return { path: '', message, remedy: 'give one of the two: kubectl would apply one over the other' }
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}
