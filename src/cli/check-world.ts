import { parseNHIGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import { group as ourGroup } from '../api/v1alpha1/objects.ts'
import { isObject, type JsonObject } from '../api/validate.ts'
import type { Problem } from '../core/problem.ts'
import { fullAuthority } from '../core/rbac/authorize.ts'
import { keyOf, readRevision } from '../world/read-facts.ts'
import { isWorldKind, WorldIndex, worldKinds, type WorldKind } from '../world/world-index.ts'
import { badField, type BadInput, type Manifest } from './manifest/manifest.ts'

/** An object of the world, in the namespace that it will be in. */
export interface Placed extends Manifest {
  readonly namespace: string
}

export interface FileWorld {
  readonly world: WorldIndex
  readonly bad: readonly BadInput[]
}

const groups: Readonly<Record<WorldKind, string>> = {
  AccessPolicy: ourGroup,
  AccessPolicyRevision: ourGroup,
  NHIGrant: ourGroup,
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
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
])

/** The kind under which decisions know the object; null: they do not look at it. */
export function worldKindOf({ apiVersion, kind }: Manifest): WorldKind | null {
  return isWorldKind(kind) && groups[kind] === groupOf(apiVersion) ? kind : null
}

/** Puts the object where the API server would; what is cluster-scoped is in the namespace with the empty name. */
export function place(manifest: Manifest, defaultNamespace: string): Placed {
  const kind = worldKindOf(manifest)
  if (kind !== null && clusterScoped.has(kind)) return { ...manifest, namespace: '' }
  const namespace = keyOf(manifest.object).namespace || defaultNamespace
  const metadata = isObject(manifest.object['metadata']) ? manifest.object['metadata'] : {}
  return { ...manifest, namespace, object: { ...manifest.object, metadata: { ...metadata, namespace } } }
}

/**
 * The world that the objects make. Grants that no cluster has stored are left out: they are not there until one after the
 * other is allowed. Whatever cannot be read is reported, and so is what would take the place of another object.
 */
export function buildWorld(objects: readonly Placed[]): FileWorld {
  const world = new WorldIndex()
  const bad: BadInput[] = []
  const places = new Map<string, Placed>()
  world.put('ClusterRole', clusterAdmin)
  for (const object of objects) {
    const kind = worldKindOf(object)
    if (object.namespace !== '') addNamespace(object.namespace, world)
    const problems = kind === null ? reviewUnknownKind(object) : takeIn(kind, object, places, world)
    for (const problem of problems) bad.push(badField(object, problem))
  }
  world.rbac.completeAggregation()
  return { world, bad }
}

/** Every cluster has it, so a binding to it must not seem to give nothing. */
const clusterAdmin = { metadata: { name: 'cluster-admin' }, rules: fullAuthority }

/** A namespace that is mentioned exists, with its ServiceAccount default; nothing more is known of either. */
function addNamespace(namespace: string, world: WorldIndex): void {
  if (world.namespaceLabels(namespace) === null) world.put('Namespace', { metadata: { name: namespace } })
  if (world.serviceAccount(namespace, 'default') === null)
    world.put('ServiceAccount', { metadata: { namespace, name: 'default' } })
}

function reviewUnknownKind({ apiVersion, kind }: Placed): readonly Problem[] {
  if (groupOf(apiVersion) !== ourGroup) return []
  const known = worldKinds.filter((each) => groups[each] === ourGroup)
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
  return put(kind, name, object.object, world)
}

function put(kind: WorldKind, name: string, object: JsonObject, world: WorldIndex): readonly Problem[] {
  switch (kind) {
    case 'AccessPolicy':
      world.put(kind, object)
      return world.brokenPolicies.get(name) ?? []
    case 'AccessPolicyRevision':
      world.put(kind, object)
      return readRevision(object) === null ? [revisionUnreadable] : []
    case 'NHIGrant': {
      if (isStored(object)) world.put(kind, object)
      const parsed = parseNHIGrant(object)
      return parsed.ok ? [] : parsed.problems
    }
    case 'Namespace':
    case 'ServiceAccount':
    case 'Role':
    case 'ClusterRole':
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return name === '' ? [nameMissing] : putOrExplain(kind, object, world)
  }
}

/** A uid is given by a cluster only. */
export function isStored(object: JsonObject): boolean {
  return isObject(object['metadata']) && typeof object['metadata']['uid'] === 'string'
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
