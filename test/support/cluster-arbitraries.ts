import * as fc from 'fast-check'
import type { RequestAttributes } from '../../src/core/rbac/authorize.ts'
import { RbacIndex } from '../../src/core/rbac/rbac-index.ts'
import type { PolicyRule } from '../../src/core/rbac/rule.ts'
import { rules } from './rule-arbitraries.ts'

/** The RBAC objects of a cluster, as the API server serves them. */
export interface Objects {
  readonly roles: readonly object[]
  readonly clusterRoles: readonly object[]
  readonly roleBindings: readonly object[]
  readonly clusterRoleBindings: readonly object[]
}

export function indexOf(objects: Objects): RbacIndex {
  const index = new RbacIndex()
  index.replace('Role', objects.roles)
  index.replace('ClusterRole', objects.clusterRoles)
  index.replace('RoleBinding', objects.roleBindings)
  index.replace('ClusterRoleBinding', objects.clusterRoleBindings)
  return index
}

const namespaces = fc.constantFrom('n', 'm')
const subjects = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      { kind: 'ServiceAccount', name: 'sa', namespace: 'n' },
      { kind: 'User', name: 'system:serviceaccount:n:sa' },
      { kind: 'Group', name: 'system:serviceaccounts' },
      { kind: 'Group', name: 'system:serviceaccounts:n' },
      { kind: 'Group', name: 'system:authenticated' },
      { kind: 'User', name: 'ana' },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      { kind: 'ServiceAccount', name: 'sa' },
      { kind: 'ServiceAccount', name: 'sa', namespace: '' },
      { kind: 'ServiceAccount', name: 'sa', namespace: 'm' },
      { kind: 'ServiceAccount', name: '*', namespace: 'n' },
      { kind: 'User', name: '*' },
      { kind: 'User', name: 'system:authenticated' },
      { kind: 'Group', name: '*' },
      { kind: 'Group', name: 'ana' },
      { kind: 'Robot', name: 'ana' },
    ),
  },
)
export const subjectLists = fc.oneof(
  { weight: 9, arbitrary: fc.array(subjects, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constant(null) },
)
/** Wide enough that about half of the requests find a rule. */
const wideRules: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: fc.constantFrom(['*'], ['*'], ['get', 'list'], ['get', 'create'], ['list', 'create', 'watch']),
  apiGroups: fc.constantFrom(['*'], ['*'], [''], ['', 'apps']),
  resources: fc.constantFrom(
    ['*'],
    ['*'],
    ['pods', '*/exec'],
    ['nodes', 'pods', 'pods/exec'],
    ['jobs', 'pods', 'pods/*'],
  ),
  resourceNames: fc.constantFrom([], [], [], ['a', 'b']),
  nonResourceURLs: fc.constantFrom(['*'], ['/a*'], ['/a/*', '/z'], ['/a/*/c']),
})
export const ruleLists = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(rules, wideRules, wideRules) },
  { weight: 3, arbitrary: fc.array(rules, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant(null) },
)

const roleRefs = fc.record({
  kind: fc.constantFrom('ClusterRole', 'ClusterRole', 'ClusterRole', 'Role', 'Role', 'Rolle'),
  name: fc.constantFrom('r', 'r', 'r', 'q', 'q', 'gone'),
})
const roles = fc.tuple(ruleLists, ruleLists).map(([r, m]) => [
  { metadata: { name: 'r', namespace: 'n' }, rules: r },
  { metadata: { name: 'r', namespace: 'm' }, rules: m },
])
const clusterRoles = fc.tuple(ruleLists, ruleLists).map(([r, q]) => [
  { metadata: { name: 'r' }, rules: r },
  { metadata: { name: 'q' }, rules: q },
])
const roleBindings = fc
  .array(fc.tuple(namespaces, roleRefs, subjectLists), { minLength: 2, maxLength: 7 })
  .map((all) =>
    all.map(([namespace, roleRef, list], index) => bindingOf({ name: `b${index}`, namespace }, roleRef, list)),
  )
const clusterRoleBindings = fc
  .array(fc.tuple(roleRefs, subjectLists), { minLength: 1, maxLength: 4 })
  .map((all) => all.map(([roleRef, list], index) => bindingOf({ name: `b${index}` }, roleRef, list)))

export function bindingOf(metadata: object, roleRef: object, list: readonly object[] | null): object {
  return { metadata, roleRef, subjects: list }
}

/** system:masters is left out: another authorizer than RBAC's lets it pass. */
export const users = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constant({
      username: 'system:serviceaccount:n:sa',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:n', 'system:authenticated'],
    }),
  },
  { weight: 2, arbitrary: fc.constant({ username: 'ana', groups: ['system:authenticated'] }) },
  { weight: 1, arbitrary: fc.constant({ username: 'system:anonymous', groups: ['system:unauthenticated'] }) },
)
export const resourceRequests: fc.Arbitrary<RequestAttributes> = fc.record({
  verb: fc.constantFrom('get', 'get', 'list', 'create', 'watch'),
  namespace: fc.constantFrom('n', 'n', 'n', 'm', ''),
  apiGroup: fc.constantFrom('', '', '', 'apps', 'batch'),
  resource: fc.constantFrom('pods', 'pods', 'nodes', 'jobs'),
  subresource: fc.constantFrom('', '', '', 'exec', 'exec', 'ex', 'exec/x'),
  name: fc.constantFrom('', 'a', 'c'),
  path: fc.constant(''),
})
const urlRequests: fc.Arbitrary<RequestAttributes> = fc.record({
  verb: fc.constantFrom('get', 'post'),
  namespace: fc.constant(''),
  apiGroup: fc.constant(''),
  resource: fc.constant(''),
  subresource: fc.constant(''),
  name: fc.constant(''),
  path: fc.constantFrom('/a', '/a/', '/a/b', '/a/b/c', '/ab', '/', '/z'),
})

export const objects: fc.Arbitrary<Objects> = fc.record({ roles, clusterRoles, roleBindings, clusterRoleBindings })

export const requests = fc.array(
  fc.oneof({ weight: 4, arbitrary: resourceRequests }, { weight: 1, arbitrary: urlRequests }),
  { minLength: 16, maxLength: 32 },
)
