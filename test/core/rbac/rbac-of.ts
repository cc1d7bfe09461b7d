import type { RbacSubject } from '../../../src/core/rbac/subject.ts'
import { RbacIndex } from '../../../src/core/rbac/rbac-index.ts'
import type { RbacKind } from '../../../src/core/rbac/read-objects.ts'
import type { RequestAttributes } from '../../../src/core/rbac/authorize.ts'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'
import { rbacUserOf } from '../../../src/core/rbac/subject.ts'

export interface RawObject {
  readonly kind: RbacKind
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly uid: string }
  readonly [field: string]: unknown
}

/** An index that holds these objects. */
export function rbacOf(...objects: readonly RawObject[]): RbacIndex {
  const index = new RbacIndex()
  for (const object of objects) index.upsert(object.kind, object)
  return index
}

/** `role('payments/reader', …)` is a Role, `role('reader', …)` a ClusterRole. */
export function role(place: string, ...rules: readonly PolicyRule[]): RawObject {
  return { kind: place.includes('/') ? 'Role' : 'ClusterRole', metadata: metadataOf(place), rules }
}

/** `binding('payments/legacy', 'Role reader', 'ServiceAccount payments/api')`; without a namespace a ClusterRoleBinding. */
export function binding(place: string, roleRef: string, ...subjects: readonly string[]): RawObject {
  const [kind, name] = roleRef.split(' ')
  return {
    kind: place.includes('/') ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: metadataOf(place),
    roleRef: { kind, name },
    subjects: subjects.map(subjectOf),
  }
}

function metadataOf(place: string): RawObject['metadata'] {
  const [name = '', namespace] = place.split('/').toReversed()
  return { ...(namespace === undefined ? {} : { namespace }), name, uid: `uid of ${place}` }
}

/** `User ana`, `Group devs`, `ServiceAccount ci/deployer`, `ServiceAccount deployer` (no namespace). */
function subjectOf(text: string): RbacSubject {
  const [kind = '', name = ''] = text.split(' ')
  const [bare = '', namespace] = kind === 'ServiceAccount' ? name.split('/').toReversed() : [name]
  return { kind, name: bare, ...(namespace === undefined ? {} : { namespace }) }
}

/** `rule('get,list secrets')`, `rule('patch deployments.apps/scale', 'api')`, `rule('get /metrics')`. */
export function rule(text: string, ...resourceNames: readonly string[]): PolicyRule {
  const [verbList = '', targets = ''] = text.split(' ')
  const verbs = verbList.split(',')
  if (targets.startsWith('/')) return { verbs, nonResourceURLs: targets.split(',') }
  const parsed = targets.split(',').map(targetOf)
  return {
    verbs,
    apiGroups: [...new Set(parsed.map(({ apiGroup }) => apiGroup))],
    resources: parsed.map(({ resource, subresource }) =>
      subresource === '' ? resource : `${resource}/${subresource}`,
    ),
    ...(resourceNames.length === 0 ? {} : { resourceNames }),
  }
}

/** `request('get secrets', 'payments', 'token')`, `request('create pods/exec', 'payments')`, `request('get /metrics')`. */
export function request(text: string, namespace = '', name = ''): RequestAttributes {
  const [verb = '', target = ''] = text.split(' ')
  if (target.startsWith('/'))
    return { verb, namespace, apiGroup: '', resource: '', subresource: '', name, path: target }
  return { verb, namespace, ...targetOf(target), name, path: '' }
}

function targetOf(text: string) {
  const [qualified = '', subresource = ''] = text.split('/')
  const [resource = '', ...group] = qualified.split('.')
  return { resource, apiGroup: group.join('.'), subresource }
}

/** ServiceAccount payments/api, with the groups that it always has. */
export const api = rbacUserOf({ kind: 'ServiceAccount', namespace: 'payments', name: 'api' })
