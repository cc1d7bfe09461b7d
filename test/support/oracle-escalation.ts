import * as fc from 'fast-check'
import { checkEscalation, type RbacWrite } from '../../src/core/rbac/escalation-check.ts'
import type { PolicyRule } from '../../src/core/rbac/rule.ts'
import { bindingOf, indexOf, objects, ruleLists, subjectLists, users, type Objects } from './cluster-arbitraries.ts'
import { comparison } from './oracle-comparison.ts'

/** Rules that speak about roles, bound to some: the verbs escalate and bind. */
const powers: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: fc.constantFrom(['escalate'], ['bind'], ['bind', 'escalate'], ['*'], ['create']),
  apiGroups: fc.constantFrom(['rbac.authorization.k8s.io'], ['rbac.authorization.k8s.io'], ['*'], ['']),
  resources: fc.constantFrom(['roles'], ['clusterroles'], ['roles', 'clusterroles'], ['*'], ['roles/x']),
  resourceNames: fc.constantFrom([], [], ['r'], ['q', 'gone']),
})
const fullAuthority: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** A cluster in which, now and then, somebody may escalate, bind, or do anything. */
const clusters: fc.Arbitrary<Objects> = fc
  .record({
    base: objects,
    power: fc.array(powers, { minLength: 1, maxLength: 2 }),
    subjects: subjectLists,
    role: fc.constantFrom('power', 'power', 'all'),
    scope: fc.constantFrom('none', 'none', 'n', 'cluster'),
  })
  .map(({ base, power, subjects, role, scope }) => {
    const roleRef = { kind: 'ClusterRole', name: role }
    return {
      ...base,
      clusterRoles: [
        ...base.clusterRoles,
        { metadata: { name: 'power' }, rules: power },
        { metadata: { name: 'all' }, rules: fullAuthority },
      ],
      roleBindings: [
        ...base.roleBindings,
        ...(scope === 'n' ? [bindingOf({ name: 'extra', namespace: 'n' }, roleRef, subjects)] : []),
      ],
      clusterRoleBindings: [
        ...base.clusterRoleBindings,
        ...(scope === 'cluster' ? [bindingOf({ name: 'extra' }, roleRef, subjects)] : []),
      ],
    }
  })

const aggregationRules = fc.constantFrom<object | undefined>(
  undefined,
  undefined,
  { clusterRoleSelectors: [{ matchLabels: { a: 'x' } }] },
  { clusterRoleSelectors: [] },
  {},
)
const contents = fc.record({
  rules: fc.oneof(
    ruleLists,
    // Little enough to be held by many.
    fc.constantFrom<PolicyRule[]>([], [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] }]),
  ),
  aggregationRule: aggregationRules,
  roleRef: fc.record({
    kind: fc.constantFrom('ClusterRole', 'ClusterRole', 'Role', 'Rolle'),
    name: fc.constantFrom('r', 'q', 'power', 'gone'),
  }),
  subjects: subjectLists,
})
type Contents = typeof contents extends fc.Arbitrary<infer T> ? T : never

const collectable = fc.constantFrom<object>(
  {},
  { finalizers: ['a/b'] },
  { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] },
  { managedFields: [{ manager: 'm' }], finalizers: [] },
)
const lasting = fc.constantFrom<object>({}, {}, { labels: {} }, { labels: { a: 'x' } }, { annotations: { a: '' } })

interface Draft {
  readonly kind: RbacWrite['kind']
  readonly namespace: string
  readonly name: string
  readonly metadata: object
  readonly contents: Contents
}

function objectOf({ kind, namespace, name, metadata, contents: all }: Draft): object {
  const whole = { name: name || 'x', ...(isClustered(kind) ? {} : { namespace }), ...metadata }
  const { rules, aggregationRule, roleRef, subjects } = all
  if (kind === 'Role') return { metadata: whole, rules }
  if (kind === 'ClusterRole') return { metadata: whole, rules, ...(aggregationRule && { aggregationRule }) }
  return { metadata: whole, roleRef, subjects }
}

function isClustered(kind: RbacWrite['kind']): boolean {
  return kind === 'ClusterRole' || kind === 'ClusterRoleBinding'
}

const writes: fc.Arbitrary<RbacWrite> = fc
  .record({
    kind: fc.constantFrom('Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'),
    place: fc.constantFrom('n', 'n', 'm'),
    name: fc.constantFrom('', 'r', 'q'),
    after: contents,
    before: fc.option(fc.tuple(contents, fc.boolean()), { freq: 2 }),
    collected: fc.tuple(collectable, collectable),
    kept: fc.tuple(lasting, lasting),
  })
  .map(({ kind, place, name, after, before, collected, kept }) => {
    const namespace = isClustered(kind) ? '' : place
    const draft = { kind, namespace, name }
    const object = objectOf({ ...draft, metadata: { ...kept[0], ...collected[0] }, contents: after })
    if (before === null) return { ...draft, object, oldObject: null }
    const [other, isSame] = before
    const old = { ...draft, metadata: { ...kept[1], ...collected[1] }, contents: isSame ? after : other }
    return { ...draft, object, oldObject: objectOf(old) }
  })

const authors = fc.oneof(
  { weight: 12, arbitrary: users },
  { weight: 1, arbitrary: users.map((user) => ({ ...user, groups: [...user.groups, 'system:masters'] })) },
)

/** Writes of roles and bindings through the storages of kube-apiserver, down to the reason of a refusal. */
export const escalation = comparison({
  name: 'escalation',
  unit: 'clusters with 8 to 16 writes each',
  topic: 'escalation',
  cases: fc.record({
    objects: clusters,
    user: authors,
    writes: fc.array(writes, { minLength: 8, maxLength: 16 }),
  }),
  input: (one) => ({
    ...one.objects,
    user: one.user.username,
    groups: one.user.groups,
    writes: one.writes.map(({ oldObject, ...write }) => ({ ...write, ...(oldObject !== null && { oldObject }) })),
  }),
  ours: (one) => {
    const index = indexOf(one.objects)
    return one.writes.map((write) => {
      const verdict = checkEscalation(one.user, write, index)
      return verdict.allowed ? 'Allowed' : verdict.because
    })
  },
  theirs: (output) => output as readonly string[],
  verdicts: (answers) => answers,
})
