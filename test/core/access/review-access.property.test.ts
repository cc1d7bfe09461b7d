import { expect } from 'chai'
import * as fc from 'fast-check'
import { reviewAccess } from '../../../src/core/access/review-access.ts'
import type { Identity } from '../../../src/core/identity.ts'
import { effectiveRules } from '../../../src/core/rbac/authorize.ts'
import { covers } from '../../../src/core/rbac/covers.ts'
import type { RbacIndex } from '../../../src/core/rbac/rbac-index.ts'
import { describeRule, type PolicyRule } from '../../../src/core/rbac/rule.ts'
import { rbacUserOf } from '../../../src/core/rbac/subject.ts'
import { selects } from '../../../src/core/selector.ts'
import type { World } from '../../../src/core/world.ts'
import { binding, role, rule, type RawObject } from '../rbac/rbac-of.ts'
import { aggregating, bindingWrite, labelled, roleWrite, worldWith } from './writes.ts'

const governed: readonly Identity[] = [
  { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
  { kind: 'ServiceAccount', namespace: 'payments', name: 'deployer' },
  { kind: 'User', name: 'ci:acme/payments' },
]
const standing = [rule('get configmaps')]
const scopes = ['', 'ci', 'payments', 'search']

const rules = fc.subarray([
  rule('get configmaps'),
  rule('get,list secrets'),
  rule('get secrets', 'tls'),
  rule('* pods'),
  rule('get,patch deployments.apps'),
  rule('get /metrics'),
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
])
const labels = fc.subarray(['to-x', 'to-y']).map((keys) => Object.fromEntries(keys.map((key) => [key, 'true'])))
const clusterRole = fc
  .record({
    name: fc.constantFrom('x', 'y', 'z'),
    rules,
    labels,
    aggregates: fc.constantFrom(null, null, 'to-x', 'to-y'),
  })
  .map(({ name, aggregates, ...parts }) => {
    const object = labelled(role(name, ...parts.rules), parts.labels)
    return aggregates === null ? object : aggregating(object, aggregates)
  })
const namespacedRole = fc
  .record({ place: fc.constantFrom('ci/a', 'ci/b', 'payments/a'), rules })
  .map(({ place, rules: own }) => role(place, ...own))
const bindings = fc
  .record({
    place: fc.constantFrom('ci/one', 'ci/two', 'payments/one', 'search/one', 'one', 'two'),
    roleRef: fc.constantFrom('ClusterRole x', 'ClusterRole y', 'ClusterRole z', 'Role a', 'Role b'),
    subjects: fc.subarray([
      'ServiceAccount ci/deployer',
      'User system:serviceaccount:payments:deployer',
      'User ci:acme/payments',
      'User ana',
      'Group system:serviceaccounts',
      'Group system:serviceaccounts:payments',
      'Group system:authenticated',
      'Group devs',
    ]),
  })
  .filter(({ place, roleRef }) => place.includes('/') || roleRef.startsWith('ClusterRole'))
  .map(({ place, roleRef, subjects }) => binding(place, roleRef, ...subjects))
const object = fc.oneof(clusterRole, namespacedRole, bindings)
const step = fc.record({ object, isRemoval: fc.integer({ min: 0, max: 9 }).map((roll) => roll < 2) })

/** What the cluster's controller does: aggregated roles hold what they select, and nothing else. */
function aggregateIn(index: RbacIndex, known: Map<string, RawObject>): void {
  for (let round = 0; round < 4; round++) {
    for (const { name, aggregation } of index.aggregatedRoles()) {
      const parts = index
        .clusterRoles()
        .filter((other) => other.name !== name && aggregation!.some((each) => selects(each, other.labels)))
      const found = new Map(parts.flatMap((part) => part.rules).map((each) => [JSON.stringify(each), each]))
      const key = `ClusterRole /${name}`
      const after = { ...known.get(key)!, rules: [...found.values()] }
      known.set(key, after)
      index.upsert('ClusterRole', after)
    }
  }
}

function held(world: World, identity: Identity, scope: string): readonly PolicyRule[] {
  const found = effectiveRules(rbacUserOf(identity), scope, world.rbac).map((each) => each.rule)
  return scope === '' ? found : found.filter((each) => (each.resources ?? []).length > 0)
}

const keyOf = ({ kind, metadata }: RawObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`

const writeOf = (after: RawObject, before: RawObject | null) =>
  after.kind.endsWith('Binding') ? bindingWrite(after, before) : roleWrite(after, before)

describe('reviewAccess, whatever is written', () => {
  it('lets no governed subject hold more than at the beginning, but for what its policy lists', () => {
    let admitted = 0
    let refused = 0
    fc.assert(
      fc.property(
        fc.array(object, { maxLength: 6 }),
        fc.array(step, { minLength: 12, maxLength: 25 }),
        (start, steps) => {
          const known = new Map(start.map((each) => [keyOf(each), each]))
          const world = worldWith([...known.values()])
          const index = world.rbac as RbacIndex
          aggregateIn(index, known)
          const atStart = governed.map((identity) => scopes.map((scope) => held(world, identity, scope)))
          for (const { object: after, isRemoval } of steps) {
            const before = known.get(keyOf(after)) ?? null
            if (isRemoval) {
              known.delete(keyOf(after))
              index.remove(after.kind, after.metadata.namespace ?? null, after.metadata.name)
            } else if (
              before?.['roleRef'] === undefined ||
              JSON.stringify(before['roleRef']) === JSON.stringify(after['roleRef'])
            ) {
              if (reviewAccess(writeOf(after, before), world).verdict === 'Deny') {
                refused++
                continue
              }
              admitted++
              known.set(keyOf(after), after)
              index.upsert(after.kind, after)
            }
            aggregateIn(index, known)
            for (const [who, identity] of governed.entries())
              for (const [where, scope] of scopes.entries()) {
                const { missing } = covers([...standing, ...atStart[who]![where]!], held(world, identity, scope))
                expect(missing.map(describeRule), `${JSON.stringify(identity)} in "${scope}"`).to.deep.equal([])
              }
          }
        },
      ),
      { seed: 5, numRuns: 250 },
    )
    expect(admitted).to.be.above(500)
    expect(refused).to.be.above(500)
  })

  it('never refuses a write that leaves everything as it is', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 8 }), (start) => {
        const known = new Map(start.map((each) => [keyOf(each), each]))
        const world = worldWith([...known.values()])
        aggregateIn(world.rbac as RbacIndex, known)
        for (const each of known.values())
          expect(reviewAccess(writeOf(each, each), world).verdict, JSON.stringify(each)).not.to.equal('Deny')
      }),
      { seed: 6, numRuns: 300 },
    )
  })
})
